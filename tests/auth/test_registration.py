"""Registering: what an account needs, and that an address has one account only."""

import asyncio

import pytest

from auth.accounts import Account
from auth.sessions import Origin
from common.errors import Conflict, InvalidFields
from tests.auth.conftest import Rules
from tests.auth.running import PASSWORD

ORIGIN = Origin("203.0.113.7", "a browser")


async def register(
    rules: Rules, email: str = "ann@example.org", name: str = "Ann", password: str = PASSWORD
) -> Account:
    account, _ = await rules.accounts.register(
        email=email, display_name=name, password=password, origin=ORIGIN
    )
    return account


async def test_a_new_account_is_logged_in(rules: Rules) -> None:
    account, pair = await rules.accounts.register(
        email=" Ann@Example.org ", display_name="Аня", password=PASSWORD, origin=ORIGIN
    )
    assert account == Account(
        id=account.id,
        email="Ann@Example.org",
        email_verified=False,
        display_name="Аня",
        avatar_url="",
        created_at=rules.clock.now,
        updated_at=rules.clock.now,
        administrator=True,
    )
    assert pair.expires_in == 900
    assert (await rules.accounts.refresh(pair.refresh_token, ORIGIN)).access_token


@pytest.mark.parametrize(
    "again", ["ann@example.org", "ANN@EXAMPLE.ORG", "  ann@Example.org", "ａnn@example.org"]
)
async def test_an_address_has_one_account_however_it_is_spelt(rules: Rules, again: str) -> None:
    await register(rules, email="ann@example.org")
    with pytest.raises(Conflict) as refused:
        await register(rules, email=again)
    assert refused.value.code == "EMAIL_TAKEN"


async def test_of_ten_at_once_one_gets_the_address(rules: Rules) -> None:
    results = await asyncio.gather(*(register(rules) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(result, Account) for result in results) == 1
    assert {type(result) for result in results} == {Account, Conflict}


async def test_everything_wrong_is_told_at_once(rules: Rules) -> None:
    with pytest.raises(InvalidFields) as refused:
        await register(rules, email="ann", name=" ", password="short")
    assert [(error.field, error.message) for error in refused.value.errors] == [
        ("email", "is not an e-mail address"),
        ("displayName", "is needed"),
        ("password", "must be at least 8 characters long"),
    ]


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ann",
        "@example.org",
        "ann@",
        "ann@example",
        "ann@@example.org",
        "ann@exa mple.org",
        ".ann@example.org",
        "ann..b@example.org",
        "ann@-example.org",
        "ann@example..org",
        "ann@example.org\nBcc: all@example.org",
        "ann\0@example.org",
        "a" * 65 + "@example.org",
        "a@" + "b." * 130 + "org",
    ],
)
async def test_what_is_no_address_is_refused(rules: Rules, email: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        await register(rules, email=email)
    assert [error.field for error in refused.value.errors] == ["email"]


@pytest.mark.parametrize("email", ["a.b+study@example.co.uk", "o'neil@example.org", "аня@почта.рф", "a@b.c"])
async def test_unusual_addresses_are_addresses(rules: Rules, email: str) -> None:
    assert (await register(rules, email=email)).email == email


@pytest.mark.parametrize(
    "name",
    ["", "   ", "x" * 65, "two\nlines", "zero\0", "bell\a", "\u202eevil", "\u200b", "\u200d\u200d"],
)
async def test_a_name_nobody_could_read_is_refused(rules: Rules, name: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        await register(rules, name=name)
    assert [error.field for error in refused.value.errors] == ["displayName"]


@pytest.mark.parametrize("name", ["A", "x" * 64, "Łukasz 👩‍💻", "न्", "李", "\U0001fae8", "\U0001ff42"])
async def test_names_of_every_script_are_names(rules: Rules, name: str) -> None:
    assert (await register(rules, name=name)).display_name == name
