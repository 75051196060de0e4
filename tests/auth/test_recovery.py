"""By letter, through the running service and a real SMTP server: verify an address, reset a password."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from auth import mail, mail_tokens
from auth.attempts import LETTERS_BY, LETTERS_TO
from auth.config import Config
from common.config import ConfigError, load
from common.errors import CwrkError, Forbidden, InvalidFields, TooMany, Unauthenticated
from proto import auth_pb2
from tests.auth.running import PASSWORD, Caller, running_auth
from tests.auth.smtp import Server, closed_port, smtp_server

ANN = "ann@example.org"
HERE = auth_pb2.Origin(address="203.0.113.7")


@pytest.fixture
async def smtp() -> AsyncIterator[Server]:
    async with smtp_server() as server:
        yield server


@asynccontextmanager
async def with_mail(database_url: str, keys_dir: Path, port: int) -> AsyncIterator[Caller]:
    to = mail.Server("127.0.0.1", port, tls=False, starttls=False)
    async with running_auth(
        database_url, keys_dir, mail=to, mail_from="study@example.org", public_url="https://study.example.org"
    ) as caller:
        yield caller


@pytest.fixture
async def auth(auth_database: str, keys_dir: Path, smtp: Server) -> AsyncIterator[Caller]:
    async with with_mail(auth_database, keys_dir, smtp.port) as caller:
        yield caller


async def register(auth: Caller, email: str = ANN) -> auth_pb2.Session:
    request = auth_pb2.RegisterRequest(email=email, display_name="Ann", password=PASSWORD, origin=HERE)
    return await auth.call(auth.stub.Register, request)


async def login(auth: Caller, password: str) -> auth_pb2.Session:
    request = auth_pb2.LoginRequest(email=ANN, password=password, origin=HERE)
    return await auth.call(auth.stub.Login, request)


async def forgot(auth: Caller, email: str = ANN, address: str = "203.0.113.7") -> None:
    origin = auth_pb2.Origin(address=address)
    await auth.call(auth.stub.RequestReset, auth_pb2.MailRequest(email=email, origin=origin))


async def reset(auth: Caller, token: str, password: str = "another horse") -> None:
    request = auth_pb2.ResetPasswordRequest(token=token, password=password, origin=HERE)
    await auth.call(auth.stub.ResetPassword, request)


async def verify(auth: Caller, token: str) -> None:
    await auth.call(auth.stub.VerifyEmail, auth_pb2.VerifyEmailRequest(token=token))


async def reset_token(auth: Caller, smtp: Server) -> str:
    """Of a registered account, whose first letter has come."""
    await smtp.letter()
    await forgot(auth)
    return await smtp.token()


async def test_a_new_account_gets_a_letter_whose_link_verifies_its_address(
    auth: Caller, smtp: Server
) -> None:
    session = await register(auth)
    assert not session.user.email_verified
    link = await smtp.link()
    assert smtp.recipients == [ANN]
    assert link.startswith("https://study.example.org/verify#token=cwrkm_")
    await verify(auth, link.partition("=")[2])
    assert (await login(auth, PASSWORD)).user.email_verified


async def test_a_letter_is_short_and_says_it_in_two_languages(auth: Caller, smtp: Server) -> None:
    await register(auth)
    text = (await smtp.letter()).get_content()
    assert "confirm that this address is yours" in text
    assert "подтвердить, что это ваш адрес" in text
    assert len(text.splitlines()) < 10


async def test_another_letter_can_be_asked_for_until_the_address_is_verified(
    auth: Caller, smtp: Server
) -> None:
    await register(auth)
    first = await smtp.token()
    again = auth_pb2.MailRequest(email=ANN, origin=HERE)
    await auth.call(auth.stub.RequestVerification, again)
    await verify(auth, await smtp.token())
    with pytest.raises(InvalidFields):
        await verify(auth, first)
    await auth.call(auth.stub.RequestVerification, again)
    await forgot(auth)
    assert "reset" in await smtp.link()  # the letter before it was not sent


async def test_a_reset_sets_the_password_ends_every_session_and_proves_the_address(
    auth: Caller, smtp: Server
) -> None:
    session = await register(auth)
    token = await reset_token(auth, smtp)
    await reset(auth, token)
    with pytest.raises(Unauthenticated) as ended:
        await auth.call(
            auth.stub.Refresh, auth_pb2.RefreshRequest(refresh_token=session.tokens.refresh_token)
        )
    assert ended.value.code == "SESSION_ENDED"
    with pytest.raises(Unauthenticated) as ended:
        await auth.call(auth.stub.Me, auth_pb2.MeRequest(), user_token=session.tokens.access_token)
    assert ended.value.code == "SESSION_ENDED"
    with pytest.raises(Unauthenticated):
        await login(auth, PASSWORD)
    assert (await login(auth, "another horse")).user.email_verified


async def test_a_link_is_good_once_even_when_shown_many_times_at_once(auth: Caller, smtp: Server) -> None:
    await register(auth)
    token = await reset_token(auth, smtp)
    answers = await asyncio.gather(
        *(reset(auth, token, f"another horse {n}") for n in range(10)), return_exceptions=True
    )
    assert sum(answer is None for answer in answers) == 1
    refused = [answer for answer in answers if answer is not None]
    assert {answer.code for answer in refused if isinstance(answer, CwrkError)} == {"MAIL_TOKEN_INVALID"}
    assert len(refused) == 9


async def test_two_links_used_at_once_do_not_wait_for_each_other(auth: Caller, smtp: Server) -> None:
    await register(auth)
    await smtp.letter()
    await forgot(auth)
    await forgot(auth)
    tokens = [await smtp.token(), await smtp.token()]
    answers = await asyncio.gather(*(reset(auth, token) for token in tokens), return_exceptions=True)
    assert sum(answer is None for answer in answers) == 1
    assert {each.code for each in answers if isinstance(each, CwrkError)} == {"MAIL_TOKEN_INVALID"}


async def test_a_link_ends_after_an_hour(auth: Caller, smtp: Server, auth_database: str) -> None:
    await register(auth)
    token = await reset_token(auth, smtp)
    connection = await asyncpg.connect(auth_database)
    left = await connection.fetchval(
        "SELECT max(expires_at) - now() FROM auth.mail_tokens WHERE purpose = 'reset'"
    )
    assert timedelta(minutes=59) < left <= mail_tokens.LIFETIME == timedelta(hours=1)
    await connection.execute("UPDATE auth.mail_tokens SET expires_at = now()")
    await connection.close()
    with pytest.raises(InvalidFields) as refused:
        await reset(auth, token)
    assert refused.value.code == "MAIL_TOKEN_INVALID"


async def test_a_link_opens_only_what_it_was_made_for(auth: Caller, smtp: Server) -> None:
    await register(auth)
    verification = await smtp.token()
    with pytest.raises(InvalidFields):
        await reset(auth, verification)
    await forgot(auth)
    with pytest.raises(InvalidFields):
        await verify(auth, await smtp.token())
    for nothing in ("", "cwrkm_", "x" * 10_000):
        with pytest.raises(InvalidFields):
            await verify(auth, nothing)


async def test_a_password_that_may_not_be_chosen_leaves_the_link_good(auth: Caller, smtp: Server) -> None:
    await register(auth)
    token = await reset_token(auth, smtp)
    for bad in ("short", "password1", "ann@example.org"):
        with pytest.raises(InvalidFields) as refused:
            await reset(auth, token, bad)
        assert [error.field for error in refused.value.errors] == ["password"]
    await reset(auth, token)


async def test_the_table_holds_no_link(auth: Caller, smtp: Server, auth_database: str) -> None:
    await register(auth)
    token = await reset_token(auth, smtp)
    connection = await asyncpg.connect(auth_database)
    rows = await connection.fetch("SELECT t::text AS row FROM auth.mail_tokens t")
    await connection.close()
    assert len(rows) == 2
    assert all(token not in row["row"] and token[6:] not in row["row"] for row in rows)


async def test_an_unknown_address_is_answered_alike_and_gets_no_letter(
    auth: Caller, smtp: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alike in time too: the answer comes before anything is looked up."""
    await register(auth)
    await smtp.letter()
    looked_up, go_on = asyncio.Event(), asyncio.Event()
    real = mail_tokens.MailTokens.account_at

    async def held(self: mail_tokens.MailTokens, email_key: str) -> object:
        looked_up.set()
        await go_on.wait()
        return await real(self, email_key)

    monkeypatch.setattr(mail_tokens.MailTokens, "account_at", held)
    await forgot(auth, "nobody@example.org")
    await asyncio.wait_for(looked_up.wait(), 5)
    await forgot(auth, ANN)
    assert smtp.tries == 1
    go_on.set()
    await smtp.letter()
    assert smtp.recipients == [ANN, ANN]


async def test_letters_to_one_address_are_few_known_or_not(auth: Caller, smtp: Server) -> None:
    await register(auth)
    for email in (ANN, "nobody@example.org"):
        for n in range(LETTERS_TO.free):
            await forgot(auth, email, f"198.51.100.{n}")
        with pytest.raises(TooMany) as refused:
            await forgot(auth, email, "198.51.100.99")
        assert refused.value.retry_after == pytest.approx(60, abs=5)


async def test_letters_asked_for_from_one_address_are_few(auth: Caller) -> None:
    for n in range(LETTERS_BY.free):
        await forgot(auth, f"{n}@example.org")
    with pytest.raises(TooMany):
        await forgot(auth, "another@example.org")
    await forgot(auth, "another@example.org", "192.0.2.1")


async def test_a_reset_lets_the_owner_in_whatever_guessers_do(auth: Caller, smtp: Server) -> None:
    await register(auth)
    token = await reset_token(auth, smtp)
    while True:
        try:
            await login(auth, "wrong password")
        except TooMany:
            break
        except Unauthenticated:
            pass
    await reset(auth, token)
    await login(auth, "another horse")


async def test_a_mail_server_that_is_down_changes_no_answer(auth_database: str, keys_dir: Path) -> None:
    async with with_mail(auth_database, keys_dir, closed_port()) as auth:
        await register(auth)
        await forgot(auth)
        await forgot(auth, "nobody@example.org")
        await login(auth, PASSWORD)


async def test_without_mail_the_answers_are_the_same_and_it_is_said_at_the_start(
    auth_database: str, keys_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_auth(auth_database, keys_dir) as auth:
        await register(auth)
        await forgot(auth)
        await forgot(auth, "nobody@example.org")
    said = capsys.readouterr().out
    assert "no letters, so nobody can verify an address or reset a password" in said
    assert "token=" not in said
    connection = await asyncpg.connect(auth_database)
    assert await connection.fetchval("SELECT count(*) FROM auth.mail_tokens") == 0
    await connection.close()


async def test_in_development_the_log_has_the_link(
    auth_database: str, keys_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_auth(auth_database, keys_dir, development=1) as auth:
        await register(auth)
    said = capsys.readouterr().out
    assert "since DEVELOPMENT=1" in said
    assert "http://localhost:8080/verify#token=cwrkm_" in said


async def test_with_mail_development_shows_nothing(
    auth_database: str, keys_dir: Path, smtp: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    to = mail.Server("127.0.0.1", smtp.port, tls=False, starttls=False)
    async with running_auth(
        auth_database, keys_dir, development=1, mail=to, mail_from="study@example.org"
    ) as auth:
        await register(auth)
        await smtp.letter()
    assert "token=" not in capsys.readouterr().out


async def test_a_disabled_account_gets_no_letter_and_its_links_are_void(
    auth: Caller, smtp: Server, auth_database: str
) -> None:
    await register(auth)
    token = await reset_token(auth, smtp)
    connection = await asyncpg.connect(auth_database)
    await connection.execute("UPDATE auth.accounts SET disabled_at = now()")
    await connection.close()
    with pytest.raises(InvalidFields):
        await reset(auth, token)
    with pytest.raises(Forbidden):
        await login(auth, PASSWORD)


def test_settings_of_mail() -> None:
    environ = {"DATABASE_URL": "postgresql://x", "MAIL_URL": "smtp://me:hidden@mail.example.org"}
    with pytest.raises(ConfigError, match="MAIL_FROM must be"):
        load(Config, environ)
    config = load(Config, {**environ, "MAIL_FROM": "Study <study@example.org>"})
    assert "hidden" not in repr(config)
    for wrong in ({"MAIL_FROM": "nobody\nBcc: all@example.org"}, {"PUBLIC_URL": "study.example.org"}):
        with pytest.raises(ConfigError):
            load(Config, {**environ, **wrong})
