"""Letters on their way: over a real SMTP server, one that is down, slow, or refuses."""

import asyncio
import logging
import ssl
from pathlib import Path

import pytest

from auth import mail
from auth.mail import Letter, Mailer, Server
from tests.auth.certificates import certificate
from tests.auth.smtp import closed_port, smtp_server

LETTER = Letter("verify", "ann@example.org", "Hello · привет", "A line.\nСтрока.\n")
SENDER = "cwrkPlanet <study@example.org>"


def plain(port: int, **more: str) -> Server:
    return Server("127.0.0.1", port, tls=False, starttls=False, **more)


async def settled(mailer: Mailer) -> None:
    """Every letter has arrived or was given up."""
    await asyncio.wait_for(asyncio.gather(*mailer._sending), 5)


async def test_a_letter_arrives_as_it_was_written() -> None:
    async with smtp_server() as server, Mailer(plain(server.port), SENDER) as mailer:
        assert mailer.post(LETTER)
        arrived = await server.letter()
    assert (arrived["From"], arrived["To"]) == (SENDER, "ann@example.org")
    assert arrived["Subject"] == LETTER.subject
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived["Message-ID"].endswith("@example.org>")
    assert arrived.get_content_type() == "text/plain"
    assert arrived.get_content().replace("\r\n", "\n") == LETTER.text


async def test_a_letter_that_may_be_taken_later_is_sent_again() -> None:
    async with smtp_server() as server, Mailer(plain(server.port), SENDER, retries=(0.01, 0.01)) as mailer:
        server.answers = ["451 busy", "421 later"]
        mailer.post(LETTER)
        await server.letter()
        await settled(mailer)
    assert server.tries == 3


async def test_a_letter_is_sent_when_the_server_is_back() -> None:
    port = closed_port()
    async with Mailer(plain(port), SENDER, retries=(0.02,) * 200) as mailer:
        mailer.post(LETTER)
        async with smtp_server(port=port) as server:
            assert (await server.letter())["To"] == "ann@example.org"
            await settled(mailer)


async def test_a_letter_that_is_refused_for_good_is_not_sent_again() -> None:
    async with smtp_server() as server, Mailer(plain(server.port), SENDER, retries=(0.01,)) as mailer:
        server.answers = ["550 no such person"]
        mailer.post(LETTER)
        await settled(mailer)
    assert server.tries == 1


async def test_a_server_that_says_nothing_is_given_up_at_the_deadline() -> None:
    async with (
        smtp_server() as server,
        Mailer(plain(server.port), SENDER, deadline=0.1, retries=()) as mailer,
    ):
        server.silent = True
        mailer.post(LETTER)
        await settled(mailer)
    assert server.connections == 1


async def test_one_letter_that_waits_does_not_hold_up_the_others() -> None:
    async with smtp_server() as server, Mailer(plain(server.port), SENDER, retries=(3600,)) as mailer:
        server.answers = ["451 busy"] * 3
        for _ in range(3):
            mailer.post(LETTER)
        for _ in range(3):
            await asyncio.wait_for(server.tried.get(), 5)
        mailer.post(LETTER)
        await server.letter()
        assert len(mailer._sending) >= 3
        for task in mailer._sending:
            task.cancel()


async def test_past_its_bound_the_next_letter_is_dropped() -> None:
    async with Mailer(plain(closed_port()), SENDER, letters=2, retries=(3600,)) as mailer:
        assert [mailer.post(LETTER) for _ in range(4)] == [True, True, False, False]
        for task in mailer._sending:
            task.cancel()


async def test_user_and_password_are_shown_over_tls(tmp_path: Path) -> None:
    trusted, own = certificate(tmp_path, "127.0.0.1")
    to = mail.server("smtp://me:right@127.0.0.1:1")
    async with smtp_server(tls=own, auth=True) as server:
        to = mail.server(f"smtp://me:right@127.0.0.1:{server.port}")
        async with Mailer(to, SENDER, tls_context=trusted) as mailer:
            mailer.post(LETTER)
            await server.letter()
    assert server.authenticated == [(b"me", b"right")]


async def test_no_password_is_shown_in_the_clear() -> None:
    """The server offers no STARTTLS, or somebody in between took the offer out."""
    async with smtp_server(auth=True) as server:
        to = mail.server(f"smtp://me:right@127.0.0.1:{server.port}")
        async with Mailer(to, SENDER, retries=(0.01,)) as mailer:
            mailer.post(LETTER)
            await settled(mailer)
    assert (server.authenticated, server.tries) == ([], 0)


async def test_no_password_is_shown_to_a_server_that_nobody_vouches_for(tmp_path: Path) -> None:
    _, own = certificate(tmp_path, "127.0.0.1")
    async with smtp_server(tls=own, auth=True) as server:
        to = mail.server(f"smtp://me:right@127.0.0.1:{server.port}")
        async with Mailer(to, SENDER, retries=(), tls_context=ssl.create_default_context()) as mailer:
            mailer.post(LETTER)
            await settled(mailer)
    assert (server.authenticated, server.tries) == ([], 0)


async def test_the_log_has_neither_address_nor_text(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger().setLevel(logging.WARNING)
    async with smtp_server() as server, Mailer(plain(server.port), SENDER, retries=(0.01,)) as mailer:
        server.answers = ["451 <ann@example.org> busy", "250 OK", "550 <ann@example.org> unknown"]
        mailer.post(LETTER)
        await settled(mailer)
        mailer.post(LETTER)
        await settled(mailer)
    said = capsys.readouterr()
    shown = said.out + said.err
    assert "letter refused" in shown
    assert "example.org" not in shown
    assert "line" not in shown


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("smtp://mail.example.org", Server("mail.example.org", 25, tls=False, starttls=None)),
        ("smtp://a%40b:p%3Aw@mail:2525", Server("mail", 2525, False, True, "a@b", "p:w")),
        ("smtp://u:p@mail", Server("mail", 587, False, True, "u", "p")),
        ("smtps://u:p@mail", Server("mail", 465, True, False, "u", "p")),
        ("smtp://u:p@mail:25?starttls=never", Server("mail", 25, False, False, "u", "p")),
    ],
)
def test_the_mail_servers_address(url: str, read: Server) -> None:
    assert mail.server(url) == read


@pytest.mark.parametrize(
    "url",
    ["mail.example.org", "http://mail", "smtp://", "smtp://mail:x", "smtp://mail/path", "smtp://mail?tls=1",
     "smtps://mail?starttls=never", "smtp://mail?starttls=maybe"],
)  # fmt: skip
def test_what_is_no_mail_servers_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"must|has|knows"):
        mail.server(url)
