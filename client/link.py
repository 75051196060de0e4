"""A room's websocket. It comes back by itself, as the protocol's close codes say, and renews its token."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Mapping
from typing import Any, NoReturn, Protocol

import aiohttp

from client.backoff import FINAL, TOKEN_ENDED, Backoff
from client.errors import Closed, ProtocolError, Refused, SignedOut, Unreachable
from client.models import Position
from client.rest import Rest, segment

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
CLOSING_S = 2.0
SLACK_S = 5.0
RETRY_RENEWAL_S = 5.0


class Owner(Protocol):
    """Who is told. None of it may block."""

    @property
    def position(self) -> Position | None: ...
    def received(self, frame: Mapping[str, Any]) -> None: ...
    def disconnected(self) -> None: ...


class Link:
    """One connection at a time. `up` is set from the server's hello until the connection is lost."""

    def __init__(self, rest: Rest, room_id: str, owner: Owner) -> None:
        self._rest, self._room_id, self._owner = rest, room_id, owner
        self._backoff = Backoff()
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self.up = asyncio.Event()
        self._up_at: float | None = None
        self._silence = rest.deadline
        self._token = ""

    async def run(self) -> NoReturn:
        """Connect, live, come back. Raises Closed or SignedOut when that is over for good."""
        while True:
            self._up_at = None
            code, reason = await self._visit()
            lived = 0.0 if self._up_at is None else asyncio.get_running_loop().time() - self._up_at
            if code in FINAL:
                raise Closed(code, reason)
            if code == TOKEN_ENDED:
                with contextlib.suppress(Unreachable):
                    await self._rest.renew(self._token)
            wait = self._backoff.wait(code, lived)
            logger.info("the connection has ended (%s %s), back in %.1f s", code or "lost", reason, wait)
            await asyncio.sleep(wait)

    async def send(self, kind: str, payload: Mapping[str, Any], frame_id: str | None = None) -> bool:
        """Whether it was handed to an open connection. What became of it an answer says, or nothing."""
        ws = self._ws
        if ws is None or not self.up.is_set():
            return False
        frame = {"type": kind, "payload": payload} | ({"id": frame_id} if frame_id else {})
        try:
            async with asyncio.timeout(self._rest.deadline):
                await ws.send_str(json.dumps(frame))
        except (aiohttp.ClientError, OSError, TimeoutError):
            if self._ws is ws:
                self._down()  # its reader will notice, too
            return False
        return True

    def _down(self) -> None:
        self._ws = None
        self.up.clear()
        self._owner.disconnected()

    async def _visit(self) -> tuple[int, str]:
        """One connection, until its end: the close code (0: none came) and its reason."""
        try:
            url = f"{await self._rest.ws_url()}/ws/rooms/{segment(self._room_id)}"
            self._token = await self._rest.access_token()
            async with asyncio.timeout(self._rest.deadline):
                ws = await self._rest.http.ws_connect(url, max_msg_size=MAX_MESSAGE_BYTES)
        except aiohttp.WSServerHandshakeError as refusal:
            if refusal.status in (401, 403, 404, 422):
                raise Refused("HANDSHAKE", refusal.message, status=refusal.status) from refusal
            return 0, f"HTTP {refusal.status}"
        except (Unreachable, aiohttp.ClientError, OSError, TimeoutError) as wrong:
            return 0, str(wrong)
        except Refused as refusal:
            if not refusal.retryable:
                raise
            return 0, refusal.code
        renewing = asyncio.create_task(self._renew(ws))
        try:
            self._ws, self._silence = ws, self._rest.deadline
            await self._authenticate(ws)
            return await self._read(ws)
        except (aiohttp.ClientError, OSError, TimeoutError) as wrong:
            return 0, str(wrong) or "silent"
        finally:
            self._down()
            renewing.cancel()
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with asyncio.timeout(CLOSING_S):
                    await ws.close()

    async def _authenticate(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """The token is in a frame, never in the address. The replay asked for here comes before all else."""
        payload: dict[str, Any] = {"access_token": self._token}
        if (position := self._owner.position) is not None:
            payload["resume"] = {"epoch": position.epoch, "last_seq": position.seq}
        await ws.send_json({"type": "auth", "payload": payload})

    async def _read(self, ws: aiohttp.ClientWebSocketResponse) -> tuple[int, str]:
        while True:
            message = await ws.receive(timeout=self._silence)  # a ping of the server is a sign of life, too
            if message.type is not aiohttp.WSMsgType.TEXT:
                return ws.close_code or 0, str(message.extra or "")
            try:
                frame = json.loads(message.data)
                if frame["type"] == "hello":
                    self._greeted(frame["payload"])
            except (KeyError, TypeError, ValueError) as wrong:
                raise ProtocolError(f"cannot read a frame: {wrong!r}") from wrong
            self._owner.received(frame)

    def _greeted(self, hello: Mapping[str, Any]) -> None:
        self._silence = 2 * hello["heartbeat_ms"] / 1000 + SLACK_S
        self._up_at = asyncio.get_running_loop().time()
        self.up.set()

    async def _renew(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """A newer token in band, each time before the old one ends."""
        loop = asyncio.get_running_loop()
        while (tokens := self._rest.tokens) is not None:
            if tokens.access == self._token:
                await asyncio.sleep(max(0.0, tokens.renew_at - loop.time()))
            try:
                token = await self._rest.access_token()
                if token != self._token:
                    async with asyncio.timeout(self._rest.deadline):
                        await ws.send_json({"type": "auth", "payload": {"access_token": token}})
                    self._token = token
            except (Unreachable, SignedOut, aiohttp.ClientError, OSError, TimeoutError):
                await asyncio.sleep(RETRY_RENEWAL_S)  # else the server ends the connection with the token
