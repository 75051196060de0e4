"""One person of the load: an account, a websocket, and a light voice. It does what the page does."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp

from bench.forward.client import Client
from bench.servers.server import Participant
from media import address

PATIENCE_S: Final = 15.0
#: How often what the server puts off is asked again.
_TRIES: Final = 6


class Refused(Exception):
    """The server's answer; `code` is stable."""

    def __init__(self, what: str, code: str, detail: str) -> None:
        super().__init__(f"{what}: {code}, {detail}")
        self.code = code


class Visitor(Client):
    """Asks at every address that the answer names, and takes the one that answers first."""

    def __init__(self, slots: int) -> None:
        super().__init__(slots, "0.0.0.0")  # noqa: S104  # whichever way leads there
        self._addresses: list[address.Address] = []
        self._asked: dict[bytes, address.Address] = {}

    def take(self, answer: str) -> str:
        self._addresses = self.candidates(answer)
        return super().take(answer)

    def check(self, *, nominate: bool = True) -> None:
        if self._checked.is_set():
            super().check(nominate=nominate)
            return
        for each in self._addresses:
            request = self._check(nominate=nominate)
            self._asked[request.transaction_id] = each
            self.socket.send(each, bytes(request))

    def take_stun(self, datagram: bytes) -> None:
        if not self._checked.is_set():
            self.server = self._asked.get(datagram[8:20], self.server)
        super().take_stun(datagram)


class Person:
    """`token` of an account that there is, or "" until `register`."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str = "") -> None:
        self._http, self._url, self._token = http, url, token
        self._password = ""
        self.joined_s: float | None = None
        #: What the server said that it should not have to, by its name.
        self.troubles: list[str] = []
        self.participant: Participant | None = None
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue(8)

    @property
    def has_account(self) -> bool:
        return bool(self._token)

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """The answer's JSON; what is put off is asked again. Raises Refused."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        for last in [False] * _TRIES + [True]:
            async with self._http.request(method, self._url + path, json=body, headers=headers) as answer:
                found = await answer.json(content_type=None) if answer.status != 204 else None
                if answer.status < 400:
                    return found
                if last or answer.status not in (429, 503):
                    problem = found if isinstance(found, dict) else {}
                    code = str(problem.get("code", answer.status))
                    raise Refused(f"{method} {path.split('?')[0]}", code, str(problem.get("detail", "")))
                wait = float(answer.headers.get("Retry-After", "1"))
            await asyncio.sleep(min(wait, PATIENCE_S))
        raise AssertionError("the last try returns or raises")

    async def register(self, number: int, invite: str) -> None:
        """An account that lives for this run. Nobody gets letters: the address is one that cannot be."""
        self._password = secrets.token_urlsafe(18)
        body = {
            "email": f"load-{secrets.token_hex(8)}@load.example",
            "displayName": f"Load {number}",
            "password": self._password,
        }
        session = await self.call("POST", "/auth/register", body | ({"invite": invite} if invite else {}))
        self._token = session["accessToken"]

    async def unregister(self) -> None:
        if self._password and self._token:
            await self.call("DELETE", "/auth/me", {"password": self._password})

    @asynccontextmanager
    async def in_voice(self, room: str, *, speaks: bool, slots: int) -> AsyncIterator[Participant]:
        """In the room, connected and with a voice; `joined_s` is how long that took."""
        began = time.monotonic()
        await self.call("POST", f"/rooms/{room}/join")
        ticket = await self.call("POST", f"/rooms/{room}/tickets")
        voice = Visitor(slots)
        try:
            async with self._http.ws_connect(ticket["ws_url"], max_msg_size=1 << 20) as socket:
                reading = asyncio.create_task(self._read(socket))
                try:
                    await voice.connect(await self._negotiate(socket, voice))
                    self.joined_s = time.monotonic() - began
                    self.participant = Participant(voice if speaks else None, voice)
                    yield self.participant
                finally:
                    self.participant = None
                    reading.cancel()
                    await asyncio.gather(reading, return_exceptions=True)
        finally:
            voice.socket.close()

    async def _negotiate(self, socket: aiohttp.ClientWebSocketResponse, voice: Client) -> str:
        for _ in range(_TRIES):
            await socket.send_json({"type": "offer", "id": "voice", "payload": {"sdp": voice.offer()}})
            async with asyncio.timeout(PATIENCE_S):
                frame = await self._answers.get()
            payload = frame["payload"]
            if frame["type"] == "answer":
                return str(payload["sdp"])
            if not payload.get("retryable"):
                break
            await asyncio.sleep(payload.get("retry_after_ms", 1000) / 1000)
        raise Refused("the voice", payload["code"], payload["message"])

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            frame = message.json()
            if frame.get("id") == "voice" and frame["type"] in ("answer", "error"):
                with contextlib.suppress(asyncio.QueueFull):
                    self._answers.put_nowait(frame)
            elif frame["type"] == "voice_lost":
                self.troubles.append(f"voice lost ({frame['payload']['reason']})")
            elif frame["type"] == "error":
                self.troubles.append(f"error {frame['payload']['code']}")
        self.troubles.append(f"websocket closed ({socket.close_code})")
