"""Logging in, logging out, and what a guesser learns from being refused."""

import bcrypt
import pytest

from auth.accounts import TokenPair
from auth.sessions import Origin
from common.errors import Unauthenticated
from common.tokens import Identity
from tests.auth.conftest import Rules
from tests.auth.running import PASSWORD

ORIGIN = Origin("203.0.113.7", "a browser")


async def register(rules: Rules) -> int:
    account, _ = await rules.accounts.register(
        email="ann@example.org", display_name="Ann", password=PASSWORD, origin=ORIGIN
    )
    return account.id


async def login(rules: Rules, email: str = "ann@example.org", password: str = PASSWORD) -> TokenPair:
    _, pair = await rules.accounts.login(email=email, password=password, origin=ORIGIN)
    return pair


def identity(rules: Rules, user_id: int, pair: TokenPair) -> Identity:
    named = rules.refresh_tokens.read(pair.refresh_token)
    assert named
    return Identity(user_id, str(named[0]), "Ann", 0.0, pair.access_token)


async def test_the_address_may_be_written_in_any_case(rules: Rules) -> None:
    user_id = await register(rules)
    account, _ = await rules.accounts.login(email=" ANN@example.ORG", password=PASSWORD, origin=ORIGIN)
    assert account.id == user_id


async def test_wrong_password_and_unknown_address_are_told_apart_by_nothing(rules: Rules) -> None:
    await register(rules)
    answers = []
    for email, password in [
        ("ann@example.org", "wrong password"),
        ("nobody@example.org", PASSWORD),
        ("no address\0", ""),
        ("ann@example.org", "x" * 60_000),
    ]:
        with pytest.raises(Unauthenticated) as refused:
            await login(rules, email, password)
        answers.append((refused.value.code, refused.value.message, refused.value.errors))
    assert answers == [("INVALID_CREDENTIALS", "The e-mail or the password is wrong.", ())] * 4


async def test_an_unknown_address_costs_a_hash_too(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    costs: list[bytes] = []
    real = bcrypt.checkpw

    def counted(password: bytes, against: bytes) -> bool:
        costs.append(against[:7])
        return real(password, against)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    await register(rules)
    for email in ("ann@example.org", "nobody@example.org"):
        with pytest.raises(Unauthenticated):
            await login(rules, email, "wrong password")
    assert costs == [b"$2b$04$", b"$2b$04$"]


async def test_after_logging_out_the_session_is_over_and_the_others_are_not(rules: Rules) -> None:
    user_id = await register(rules)
    phone, laptop = await login(rules), await login(rules)
    await rules.own.logout(identity(rules, user_id, phone))
    await rules.own.logout(identity(rules, user_id, phone))  # twice is no error

    with pytest.raises(Unauthenticated) as refused:
        await rules.accounts.refresh(phone.refresh_token, ORIGIN)
    assert refused.value.code == "SESSION_ENDED"
    with pytest.raises(Unauthenticated) as refused:
        await rules.accounts.me(identity(rules, user_id, phone))
    assert refused.value.code == "SESSION_ENDED"

    assert (await rules.accounts.me(identity(rules, user_id, laptop))).id == user_id
    assert (await rules.accounts.refresh(laptop.refresh_token, ORIGIN)).refresh_token != laptop.refresh_token


async def test_a_session_keeps_where_it_came_from(rules: Rules) -> None:
    await register(rules)
    async with rules.database.connection() as connection:
        row = await connection.fetchrow("SELECT address, user_agent FROM auth.sessions")
    assert row is not None
    assert tuple(row) == ("203.0.113.7", "a browser")


async def test_the_database_holds_nothing_that_could_be_shown_as_a_credential(rules: Rules) -> None:
    await register(rules)
    pair = await login(rules)
    async with rules.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT a::text AS row FROM auth.accounts a UNION ALL SELECT s::text FROM auth.sessions s"
        )
    stored = "\n".join(row["row"] for row in rows)
    assert "ann@example.org" in stored
    for secret in (PASSWORD, pair.access_token, pair.refresh_token, pair.refresh_token[-20:]):
        assert secret not in stored
