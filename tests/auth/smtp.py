"""A real SMTP server in the test's own process, that behaves as it is told."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import socket
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

LINK = re.compile(r"https?://\S+")


@dataclass
class Server:
    """What arrived, and how the next ones are answered."""

    port: int = 0
    answers: list[str] = field(default_factory=list)  # to DATA, one a letter; then 250
    silent: bool = False  # takes connections and says nothing
    tries: int = 0
    connections: int = 0
    authenticated: list[tuple[bytes, bytes]] = field(default_factory=list)
    arrived: asyncio.Queue[EmailMessage] = field(default_factory=asyncio.Queue)
    recipients: list[str] = field(default_factory=list)
    tried: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        self.tries += 1
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.recipients += envelope.rcpt_tos
            content = cast(bytes, envelope.content)
            message = email.message_from_bytes(content, policy=email.policy.default)
            self.arrived.put_nowait(message)
        self.tried.put_nowait(answer)
        return answer

    def authenticate(
        self, _server: SMTP, _session: Any, _envelope: Envelope, mechanism: str, given: LoginPassword
    ) -> AuthResult:
        self.authenticated.append((given.login, given.password))
        return AuthResult(success=given.password == b"right")

    async def letter(self) -> EmailMessage:
        return await asyncio.wait_for(self.arrived.get(), 5)

    async def link(self) -> str:
        """The link in the next letter."""
        found = LINK.search((await self.letter()).get_content())
        assert found
        return found[0]

    async def token(self) -> str:
        return (await self.link()).partition("#token=")[2]


@asynccontextmanager
async def smtp_server(
    *, tls: ssl.SSLContext | None = None, auth: bool = False, port: int = 0
) -> AsyncIterator[Server]:
    """A server at 127.0.0.1; with `tls` it offers STARTTLS, with `auth` it wants a password ("right")."""
    server = Server()

    def protocol() -> asyncio.Protocol:
        server.connections += 1
        if server.silent:
            return asyncio.Protocol()
        with warnings.catch_warnings():
            # It advises against what the tests want to see nobody fall for: a password in the clear.
            warnings.simplefilter("ignore")
            return SMTP(
                server,
                hostname="mail.test",
                tls_context=tls,
                authenticator=server.authenticate if auth else None,
                auth_required=auth,
                auth_require_tls=False,
                enable_SMTPUTF8=True,
                loop=asyncio.get_running_loop(),
            )

    listening = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", port)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
