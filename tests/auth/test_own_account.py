"""One's own sessions, password and name."""

from datetime import timedelta
from uuid import UUID, uuid4

import jwt
import pytest

from auth.accounts import TokenPair
from auth.sessions import Origin
from common.errors import CwrkError, Forbidden, InvalidFields, NotFound, Unauthenticated
from common.tokens import Identity
from tests.auth.conftest import Rules
from tests.auth.running import PASSWORD

LAPTOP = Origin("203.0.113.7", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
PHONE = Origin(
    "198.51.100.1", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1"
)
NEW = "an entirely different phrase"


def identity(pair: TokenPair) -> Identity:
    claims = jwt.decode(pair.access_token, options={"verify_signature": False})
    return Identity(int(claims["sub"]), claims["sid"], claims["name"], 0.0, pair.access_token)


@pytest.fixture
async def laptop(rules: Rules) -> TokenPair:
    _, pair = await rules.accounts.register(
        email="ann@example.org", display_name="Ann", password=PASSWORD, origin=LAPTOP
    )
    return pair


async def login(rules: Rules, password: str = PASSWORD, origin: Origin = PHONE) -> TokenPair:
    _, pair = await rules.accounts.login(email="ann@example.org", password=password, origin=origin)
    return pair


async def ended(rules: Rules, pair: TokenPair) -> bool:
    """Whether a session is over by all its tokens, and a revocation of it is there to be heard of."""
    try:
        await rules.accounts.me(identity(pair))
    except Unauthenticated:
        pass
    else:
        return False
    with pytest.raises(Unauthenticated):
        await rules.accounts.refresh(pair.refresh_token, PHONE)
    async with rules.database.connection() as connection:
        told = await connection.fetchval(
            "SELECT count(*) FROM auth.revocations WHERE session_id = $1", UUID(identity(pair).session_id)
        )
    assert told == 1
    return True


async def test_the_list_says_device_address_and_when(rules: Rules, laptop: TokenPair) -> None:
    opened = rules.clock.now
    rules.clock.forward(timedelta(minutes=5))
    await login(rules)
    phone, first = await rules.own.sessions(identity(laptop))
    assert (phone.origin, first.origin) == (PHONE, LAPTOP)
    assert (first.created_at, first.last_used_at) == (opened, opened)
    assert str(first.id) == identity(laptop).session_id


async def test_a_refresh_records_from_where_and_when(rules: Rules, laptop: TokenPair) -> None:
    rules.clock.forward(timedelta(minutes=14))
    await rules.accounts.refresh(laptop.refresh_token, PHONE)
    (session,) = await rules.own.sessions(identity(laptop))
    assert (session.origin, session.last_used_at) == (PHONE, rules.clock.now)


async def test_sessions_that_are_over_are_not_listed(rules: Rules, laptop: TokenPair) -> None:
    phone = await login(rules)
    await rules.own.logout(identity(phone))
    rules.clock.forward(timedelta(days=29))
    laptop = await rules.accounts.refresh(laptop.refresh_token, LAPTOP)
    await login(rules)
    rules.clock.forward(timedelta(days=29))
    laptop = await rules.accounts.refresh(laptop.refresh_token, LAPTOP)
    rules.clock.forward(timedelta(days=2))  # the one before last has idled for too long
    assert len(await rules.own.sessions(identity(laptop))) == 1


async def test_ending_one_session_ends_that_one_alone(rules: Rules, laptop: TokenPair) -> None:
    phone = await login(rules)
    await rules.own.end(identity(laptop), identity(phone).session_id)
    await rules.own.end(identity(laptop), identity(phone).session_id)  # twice is no error
    assert await ended(rules, phone)
    assert not await ended(rules, laptop)


async def test_nobody_ends_the_session_of_somebody_else(rules: Rules, laptop: TokenPair) -> None:
    _, bob = await rules.accounts.register(
        email="bob@example.org", display_name="Bob", password=PASSWORD, origin=PHONE
    )
    for named in (identity(laptop).session_id, str(uuid4()), "no id at all"):
        with pytest.raises(NotFound) as refused:
            await rules.own.end(identity(bob), named)
        assert refused.value.code == "SESSION_NOT_FOUND"
    assert not await ended(rules, laptop)


async def test_logging_out_everywhere_ends_all_of_ones_own_and_nobody_elses(
    rules: Rules, laptop: TokenPair
) -> None:
    phone = await login(rules)
    _, bob = await rules.accounts.register(
        email="bob@example.org", display_name="Bob", password=PASSWORD, origin=PHONE
    )
    await rules.own.end_all(identity(laptop))
    assert await ended(rules, laptop)
    assert await ended(rules, phone)
    assert not await ended(rules, bob)


async def test_a_new_password_ends_the_other_sessions(rules: Rules, laptop: TokenPair) -> None:
    phone = await login(rules)
    await rules.own.change_password(identity(laptop), current=PASSWORD, new=NEW)
    assert await ended(rules, phone)
    assert not await ended(rules, laptop)
    with pytest.raises(Unauthenticated):
        await login(rules, PASSWORD)
    assert await login(rules, NEW)


async def test_a_wrong_current_password_changes_nothing(rules: Rules, laptop: TokenPair) -> None:
    phone = await login(rules)
    with pytest.raises(Forbidden) as refused:
        await rules.own.change_password(identity(laptop), current="not it at all", new=NEW)
    assert refused.value.code == "PASSWORD_WRONG"
    assert not await ended(rules, phone)
    assert await login(rules, PASSWORD)


async def test_guessing_the_current_password_is_limited(rules: Rules, laptop: TokenPair) -> None:
    codes = []
    for _ in range(30):
        try:
            await rules.own.change_password(identity(laptop), current="not it at all", new=NEW)
        except CwrkError as error:
            codes.append(error.code)
    assert codes[0] == "PASSWORD_WRONG"
    assert codes[-1] != "PASSWORD_WRONG"


async def test_a_new_password_that_may_not_be_chosen_is_named(rules: Rules, laptop: TokenPair) -> None:
    with pytest.raises(InvalidFields) as refused:
        await rules.own.change_password(identity(laptop), current=PASSWORD, new="short")
    assert [error.field for error in refused.value.errors] == ["newPassword"]
    assert await login(rules, PASSWORD)


async def test_another_name_is_in_the_next_token(rules: Rules, laptop: TokenPair) -> None:
    rules.clock.forward(timedelta(minutes=1))
    account = await rules.own.rename(identity(laptop), "  Anna ")
    assert (account.display_name, account.updated_at) == ("Anna", rules.clock.now)
    assert identity(await rules.accounts.refresh(laptop.refresh_token, LAPTOP)).display_name == "Anna"
    assert (await rules.own.rename(identity(laptop), None)).display_name == "Anna"
    with pytest.raises(InvalidFields) as refused:
        await rules.own.rename(identity(laptop), " ")
    assert [error.field for error in refused.value.errors] == ["displayName"]


async def test_a_session_that_is_over_does_nothing_any_more(rules: Rules, laptop: TokenPair) -> None:
    """Its access token may still be good for minutes."""
    who, phone = identity(laptop), await login(rules)
    await rules.own.logout(who)
    for attempt in (
        rules.own.rename(who, "Eve"),
        rules.own.change_password(who, current=PASSWORD, new=NEW),
        rules.own.sessions(who),
        rules.own.end(who, identity(phone).session_id),
        rules.own.end_all(who),
    ):
        with pytest.raises(Unauthenticated) as refused:
            await attempt
        assert refused.value.code == "SESSION_ENDED"
    assert not await ended(rules, phone)
