"""How often a password may be tried: counted before it is hashed; waits grow, and end by themselves."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import bcrypt
import pytest

from auth import attempts
from auth.attempts import ACCOUNT, ADDRESS, PAIR, Attempts
from auth.passwords import Passwords
from auth.sessions import Origin
from common import database
from common.errors import CwrkError, TooMany, Unauthenticated, Unavailable
from tests.auth.conftest import Clock, Rules
from tests.auth.running import PASSWORD

ANN = "ann@example.org"
HERE = "203.0.113.7"


@pytest.fixture
async def ann(rules: Rules) -> Rules:
    await rules.accounts.register(email=ANN, display_name="Ann", password=PASSWORD, origin=Origin(HERE, ""))
    return rules


@pytest.fixture
async def counted(auth_database: str) -> AsyncIterator[tuple[Attempts, Clock]]:
    clock = Clock()
    async with database.connect(auth_database) as db:
        yield Attempts(db, now=clock), clock


async def guess(
    rules: Rules, password: str = "wrong password", address: str = HERE, email: str = ANN
) -> None:
    await rules.accounts.login(email=email, password=password, origin=Origin(address, ""))


async def refusal(rules: Rules, address: str = HERE, email: str = ANN) -> CwrkError:
    with pytest.raises(CwrkError) as refused:
        await guess(rules, address=address, email=email)
    return refused.value


async def use_up(rules: Rules, address: str = HERE) -> None:
    for _ in range(PAIR.free):
        assert isinstance(await refusal(rules, address), Unauthenticated)


async def test_200_guesses_at_once_get_no_more_tries_than_the_limit(
    ann: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0
    real = bcrypt.checkpw

    def counted(password: bytes, against: bytes) -> bool:
        nonlocal tries
        tries += 1
        return real(password, against)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    answers = await asyncio.gather(*(guess(ann) for _ in range(200)), return_exceptions=True)
    assert tries == PAIR.free
    assert sum(isinstance(answer, TooMany) for answer in answers) == 200 - PAIR.free
    assert sum(isinstance(answer, Unauthenticated) for answer in answers) == PAIR.free


async def test_the_limit_is_one_for_all_replicas(auth_database: str) -> None:
    clock = Clock()
    async with database.connect(auth_database) as one, database.connect(auth_database) as other:
        replicas = [Attempts(db, now=clock) for db in (one, other)]
        reserved = await asyncio.gather(
            *(replicas[n % 2].reserve_login(ANN, HERE) for n in range(40)), return_exceptions=True
        )
    assert sum(not isinstance(each, BaseException) for each in reserved) == PAIR.free


async def test_who_is_refused_is_told_when_to_come_back(ann: Rules) -> None:
    await use_up(ann)
    refused = await refusal(ann)
    assert (refused.code, refused.retry_after) == ("TOO_MANY_ATTEMPTS", 1.0)


async def test_an_unknown_address_is_slowed_like_a_known_one(ann: Rules) -> None:
    async def answers(email: str) -> list[tuple[str, str, float | None]]:
        said = [await refusal(ann, email=email) for _ in range(PAIR.free + 3)]
        return [(each.code, each.message, each.retry_after) for each in said]

    assert await answers(ANN) == await answers("nobody@example.org")


async def test_waits_grow_up_to_a_longest_one(ann: Rules) -> None:
    waits = []
    await use_up(ann)
    for _ in range(12):
        refused = await refusal(ann)
        assert refused.retry_after
        waits.append(refused.retry_after)
        ann.clock.forward(timedelta(seconds=refused.retry_after))
        assert isinstance(await refusal(ann), Unauthenticated)  # one try, then the next wait
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


async def test_after_the_wait_the_right_password_opens(ann: Rules) -> None:
    await use_up(ann)
    with pytest.raises(TooMany) as refused:
        await guess(ann, PASSWORD)
    assert refused.value.retry_after
    ann.clock.forward(timedelta(seconds=refused.value.retry_after))
    await guess(ann, PASSWORD)
    await use_up(ann)  # and everything begins anew


async def test_a_refused_try_makes_nobody_wait_longer(ann: Rules) -> None:
    await use_up(ann)
    for _ in range(50):
        assert isinstance(await refusal(ann), TooMany)
    assert (await refusal(ann)).retry_after == 1.0


async def test_guessing_from_many_addresses_is_slowed_too(ann: Rules) -> None:
    addresses = (f"198.51.100.{n}" for n in range(250))
    for _ in range(ACCOUNT.free):
        assert isinstance(await refusal(ann, next(addresses)), Unauthenticated)
    assert isinstance(await refusal(ann, next(addresses)), TooMany)


async def test_guessers_cannot_keep_the_owner_out(ann: Rules) -> None:
    """Not where the owner has logged in before, at once; elsewhere for a minute at the very most."""
    await guess(ann, PASSWORD)
    addresses = (f"198.51.{n // 250}.{n % 250}" for n in range(1000))
    for _ in range(ACCOUNT.free + 20):
        refused = await refusal(ann, next(addresses))
        ann.clock.forward(timedelta(seconds=refused.retry_after or 0))
    refused = await refusal(ann, next(addresses))
    assert isinstance(refused, TooMany)

    await guess(ann, PASSWORD)  # from where it was right before
    with pytest.raises(TooMany) as elsewhere:
        await guess(ann, PASSWORD, "192.0.2.1")
    assert elsewhere.value.retry_after
    assert elsewhere.value.retry_after <= 60
    ann.clock.forward(timedelta(seconds=elsewhere.value.retry_after))
    await guess(ann, PASSWORD, "192.0.2.1")


async def test_one_address_trying_many_accounts_is_slowed(
    counted: tuple[Attempts, Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries, _ = counted
    for n in range(ADDRESS.free):
        await tries.reserve_login(f"{n}@example.org", HERE)
    with pytest.raises(TooMany):
        await tries.reserve_login("another@example.org", HERE)
    await tries.reserve_login("another@example.org", "192.0.2.1")


async def test_a_class_behind_one_address_logs_in(counted: tuple[Attempts, Clock]) -> None:
    tries, _ = counted
    for n in range(3 * ADDRESS.free):
        await tries.succeeded(await tries.reserve_login(f"{n}@example.org", HERE))


async def test_who_asks_in_the_same_moment_is_not_kept_waiting(counted: tuple[Attempts, Clock]) -> None:
    """Whose turn comes second may have looked at the clock first, or at another machine's."""
    attempts, clock = counted
    await attempts.reserve_login(ANN, HERE)
    clock.forward(timedelta(milliseconds=-50))
    await attempts.reserve_login("bob@example.org", HERE)


async def test_a_subscriber_with_ipv6_is_one_address(counted: tuple[Attempts, Clock]) -> None:
    tries, _ = counted
    for n in range(PAIR.free):
        await tries.reserve_login(ANN, f"2001:db8:1:2::{n}")
    with pytest.raises(TooMany):
        await tries.reserve_login(ANN, "2001:db8:1:2:ffff::1")
    await tries.reserve_login(ANN, "2001:db8:1:3::1")
    assert attempts.network("::ffff:192.0.2.1") == "192.0.2.1"
    assert attempts.network("no address") == "no address"


async def test_a_try_that_was_not_made_does_not_count(ann: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(*_: object) -> bool:
        raise Unavailable("busy", code="PASSWORDS_BUSY", retry_after=1.0)

    with monkeypatch.context() as patch:
        patch.setattr(Passwords, "verify", busy)
        for _ in range(3 * PAIR.free):
            assert (await refusal(ann)).code == "PASSWORDS_BUSY"
    await use_up(ann)


async def test_it_is_forgotten_after_a_day(ann: Rules) -> None:
    await use_up(ann)
    ann.clock.forward(timedelta(days=1, seconds=1))
    await use_up(ann)


async def test_what_says_nothing_any_more_is_deleted(counted: tuple[Attempts, Clock]) -> None:
    tries, clock = counted
    await tries.succeeded(await tries.reserve_login(ANN, HERE))  # a trusted pair
    await tries.reserve_login("other@example.org", HERE)
    assert await tries.sweep() == 0
    clock.forward(timedelta(days=2))
    assert await tries.sweep() == 3
    clock.forward(attempts.TRUSTED)
    assert await tries.sweep() == 1


async def test_the_table_has_no_address_that_somebody_typed(ann: Rules) -> None:
    await refusal(ann, email="my-secret-password")
    async with ann.database.connection() as connection:
        rows = await connection.fetch("SELECT a::text AS row FROM auth.attempts a")
    assert rows
    stored = "\n".join(row["row"] for row in rows)
    assert all(typed not in stored for typed in ("my-secret-password", ANN, HERE))


async def test_a_script_opens_few_accounts_from_one_address_in_a_night(auth_database: str) -> None:
    clock = Clock()
    clock.now = clock.now.replace(hour=0, minute=0)
    async with database.connect(auth_database) as db:
        here = Attempts(db, registrations=20, now=clock)
        opened, night = 0, clock.now + timedelta(hours=8)
        while clock.now < night:
            try:
                await here.reserve_registration(HERE)
                opened += 1
            except TooMany as refused:
                clock.forward(timedelta(seconds=refused.retry_after or 0))
        # After the first ones a wait that doubles to five minutes: twelve an hour.
        assert 20 + 7 * 12 < opened < 20 + 8 * 12 + 10
        await here.reserve_registration("198.51.100.1")
        clock.forward(timedelta(days=1))
        for _ in range(20):
            await here.reserve_registration(HERE)
        for _ in range(100):
            await Attempts(db, registrations=0, now=clock).reserve_registration(HERE)
