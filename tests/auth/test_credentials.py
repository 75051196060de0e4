"""Passwords as they are shown and chosen: hashes made anew, refusals that name the field."""

from datetime import timedelta

import bcrypt
import pytest

from auth.attempts import CONFIRMATION, Attempts
from auth.credentials import Credentials
from auth.passwords import Passwords
from auth.sessions import Origin
from auth.store import PostgresStore
from common.errors import Forbidden, InvalidFields, TooMany, Unauthenticated
from tests.auth.conftest import Rules
from tests.auth.running import COST, PASSWORD

ORIGIN = Origin("203.0.113.7", "")
ANN = "ann@example.org"


async def register(rules: Rules, password: str = PASSWORD, name: str = "Ann") -> int:
    account, _ = await rules.accounts.register(email=ANN, display_name=name, password=password, origin=ORIGIN)
    return account.id


async def stored(rules: Rules) -> str:
    async with rules.database.connection() as connection:
        return str(await connection.fetchval("SELECT password_hash FROM auth.accounts"))


async def test_a_hash_is_made_anew_at_login_when_the_cost_has_risen(rules: Rules) -> None:
    await register(rules)
    assert (await stored(rules)).startswith(f"h1$2b$0{COST}$")
    store = PostgresStore(rules.database)
    async with Passwords(cost=COST + 1, threads=1, queue=10) as dearer:
        credentials = Credentials(store, dearer, Attempts(rules.database))
        with pytest.raises(Unauthenticated):
            await credentials.check(email=ANN, password="wrong password", address="")
        assert (await stored(rules)).startswith(f"h1$2b$0{COST}$")
        _, renewed = await credentials.check(email=ANN, password=PASSWORD, address="")
        assert renewed == await stored(rules)
        assert renewed.startswith(f"h1$2b$0{COST + 1}$")
        assert (await credentials.check(email=ANN, password=PASSWORD, address=""))[1] == renewed
    async with Passwords(cost=COST, threads=1, queue=10) as cheaper:
        credentials = Credentials(store, cheaper, Attempts(rules.database))
        await credentials.check(email=ANN, password=PASSWORD, address="")
    assert await stored(rules) == renewed  # never down again


async def test_a_password_changed_while_it_was_hashed_opens_nothing(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(rules)
    real = Credentials.check

    async def then_changed(self: Credentials, *, email: str, password: str, address: str) -> object:
        found = await real(self, email=email, password=password, address=address)
        async with rules.database.connection() as connection:
            await connection.execute("UPDATE auth.accounts SET password_hash = 'another'")
        return found

    monkeypatch.setattr(Credentials, "check", then_changed)
    with pytest.raises(Unauthenticated):
        await rules.accounts.login(email=ANN, password=PASSWORD, origin=ORIGIN)
    async with rules.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM auth.sessions") == 1


@pytest.mark.parametrize("password", ["password", "ann@example.org", "Annabel1", "cwrkplanet1"])
async def test_a_password_that_is_soon_guessed_cannot_be_chosen(
    rules: Rules, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_hashing(*_: object) -> bytes:
        raise AssertionError("it was hashed all the same")

    monkeypatch.setattr(bcrypt, "hashpw", no_hashing)
    with pytest.raises(InvalidFields) as refused:
        await register(rules, password, "Annabel")
    assert [error.field for error in refused.value.errors] == ["password"]


async def test_asked_for_again_while_signed_in_tries_are_counted_too(rules: Rules) -> None:
    user_id = await register(rules)
    async with Passwords(cost=COST, threads=1, queue=10) as passwords:
        credentials = Credentials(
            PostgresStore(rules.database), passwords, Attempts(rules.database, now=rules.clock)
        )
        for _ in range(CONFIRMATION.free):
            with pytest.raises(Forbidden) as wrong:
                await credentials.confirm(user_id, "wrong password")
            assert wrong.value.code == "PASSWORD_WRONG"
        with pytest.raises(TooMany):
            await credentials.confirm(user_id, PASSWORD)
        rules.clock.forward(timedelta(seconds=1))
        await credentials.confirm(user_id, PASSWORD)
