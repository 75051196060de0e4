"""Letters on their way: a bounded number of them, each tried again while the server may take it later.

aiosmtplib speaks SMTP. TLS is checked against the system's authorities; a user
and a password are shown over TLS only, unless MAIL_URL says `starttls=never`.
Nothing here is logged but counts, statuses and the kind of letter: neither
address nor text.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formataddr, localtime, make_msgid, parseaddr
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from common import log

CONNECTIONS = 2
LETTERS = 200  # held at once, on their way or waiting; the next is dropped, its reader can ask again
DEADLINE_SECONDS = 20.0  # a whole try, from the connection to the server's "I have it"
RETRY_SECONDS = (2.0, 15.0, 60.0, 300.0)
LAST_SECONDS = 3.0  # for what is on its way when the service stops

STARTTLS = {"auto": None, "required": True, "never": False}

logger = log.get("auth.mail")


@dataclass(frozen=True, slots=True)
class Server:
    """Where letters are given in."""

    host: str
    port: int
    tls: bool  # from the first byte
    starttls: bool | None  # None: where it is offered
    user: str = ""
    password: str = field(default="", repr=False)


def server(raw: str) -> Server:
    """`smtp://user:password@host:587?starttls=required` or `smtps://…`; ValueError says what is wrong."""
    url = urlsplit(raw.strip())
    try:
        port = url.port
    except ValueError:
        raise ValueError("has a port that is none") from None
    if url.scheme not in ("smtp", "smtps") or not url.hostname or url.path not in ("", "/"):
        raise ValueError("must look like smtp://user:password@mail.example.org:587")
    tls = url.scheme == "smtps"
    options = parse_qs(url.query, keep_blank_values=True)
    default = "required" if url.username else "auto"
    (choice,) = options.pop("starttls", [default])[-1:]
    if options or choice not in STARTTLS or (tls and "starttls" in url.query):
        raise ValueError("knows ?starttls=auto, required or never, after smtp:// only")
    return Server(
        url.hostname,
        port or (465 if tls else 587 if url.username else 25),
        tls,
        False if tls else STARTTLS[choice],
        unquote(url.username or ""),
        unquote(url.password or ""),
    )


def sender(raw: str) -> str:
    """`study@example.org`, or with a name: `cwrkPlanet <study@example.org>`."""
    name, address = parseaddr(raw.strip())
    if not raw.strip().isprintable() or not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", address):
        raise ValueError("must be an address, as in cwrkPlanet <study@example.org>")
    return formataddr((name, address))


@dataclass(frozen=True, slots=True)
class Letter:
    """Plain text to one person; `kind` is what the log calls it."""

    kind: str
    to: str
    subject: str
    text: str = field(repr=False)


class Refused(Exception):
    """The server will never take this letter."""


class Mailer:
    """Sends letters in the background. Close it with `async with`: what is on its way has 3 s to arrive."""

    def __init__(
        self,
        server: Server,
        sender: str,
        *,
        letters: int = LETTERS,
        deadline: float = DEADLINE_SECONDS,
        retries: Sequence[float] = RETRY_SECONDS,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._sender = sender
        self._letters = letters
        self._deadline = deadline
        self._retries = retries
        self._tls_context = tls_context
        self._connections = asyncio.Semaphore(CONNECTIONS)
        self._sending: set[asyncio.Task[None]] = set()
        #: What became of letters: sent, refused (for ever), given_up, dropped (too many were waiting).
        self.outcomes = Counter({"sent": 0, "refused": 0, "given_up": 0, "dropped": 0})

    @property
    def waiting(self) -> int:
        """Letters on their way, or waiting to be tried again."""
        return len(self._sending)

    def post(self, letter: Letter) -> bool:
        """Take a letter; False when there are too many already, and it is dropped."""
        if len(self._sending) >= self._letters:
            self.outcomes["dropped"] += 1
            logger.warning("letter dropped: too many are waiting", kind=letter.kind, waiting=self._letters)
            return False
        task = asyncio.create_task(self._deliver(letter))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        return True

    async def _deliver(self, letter: Letter) -> None:
        for retry in (*self._retries, None):
            try:
                # A letter that waits to be tried again holds no connection: the others go on.
                async with self._connections:
                    await self._send(letter)
            except Refused as refused:
                self.outcomes["refused"] += 1
                logger.warning("letter refused", kind=letter.kind, reason=str(refused))
                return
            except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                logger.warning("letter not sent", kind=letter.kind, reason=_reason(error), again_in=retry)
            else:
                self.outcomes["sent"] += 1
                logger.info("letter sent", kind=letter.kind)
                return
            if retry is not None:
                await asyncio.sleep(retry)
        self.outcomes["given_up"] += 1

    async def _send(self, letter: Letter) -> None:
        """One try. Raises Refused, or what may pass: SMTPException, OSError, TimeoutError."""
        client = aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            use_tls=self._server.tls,
            start_tls=self._server.starttls,
            username=self._server.user or None,
            password=self._server.password or None,
            tls_context=self._tls_context,
            timeout=self._deadline,
        )
        try:
            async with asyncio.timeout(self._deadline):
                try:
                    await client.connect()
                    await client.send_message(_message(letter, self._sender))
                    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                        await client.quit()  # the server has the letter, whatever it says to this
                except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as error:
                    if _status(error) >= 500:
                        raise Refused(_reason(error)) from None
                    raise
                except (aiosmtplib.SMTPNotSupported, ValueError) as error:
                    # No STARTTLS where it is required, or an address that this server cannot write.
                    raise Refused(_reason(error)) from None
        finally:
            client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._sending:
            await asyncio.wait(self._sending, timeout=LAST_SECONDS)
        if self._sending:
            logger.warning("letters not sent: stopping", letters=len(self._sending))
        for task in tuple(self._sending):
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)


def _message(letter: Letter, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip("> ") or None)
    # No out-of-office answers to a machine (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def _status(error: aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPResponseException) -> int:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return max(refused.code for refused in error.recipients)
    return error.code


def _reason(error: BaseException) -> str:
    """The kind and the status. Not the server's words: they may repeat the address."""
    if isinstance(error, (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException)):
        return f"{type(error).__name__} {_status(error)}"
    return type(error).__name__
