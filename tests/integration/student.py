"""Somebody who speaks the whole protocol without a browser: REST, the websocket, and a real voice."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, Self

import aiohttp

from bench.forward.client import Client
from tests import frames

PASSWORD = "an orbit of its own"
PATIENCE = 10.0
SLOTS = 2


class Student:
    """One registered person; `frames` are the websocket's, by type, in the order they came."""

    _numbers = itertools.count(1)

    def __init__(self, http: aiohttp.ClientSession, url: str, ws_url: str, name: str) -> None:
        self.name, self._http, self.url, self._ws_url = name, http, url, ws_url
        self.email = f"student{next(self._numbers)}@example.org"
        self.id = ""
        self.token = ""
        self.room = ""
        self.voice_id = ""
        self.close_code: int | None = None
        self._voices: list[Client] = []
        self._frames: dict[str, asyncio.Queue[dict[str, Any]]] = {}

    @classmethod
    @asynccontextmanager
    async def registered(cls, url: str, ws_url: str, name: str) -> AsyncIterator[Self]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as http:
            student = cls(http, url, ws_url, name)
            try:
                body = {"email": student.email, "displayName": name, "password": PASSWORD}
                answer = await student.post("/auth/register", body, status=201)
                student.token, student.id = answer["accessToken"], str(answer["user"]["id"])
                yield student
            finally:
                for voice in student._voices:
                    voice.socket.close()

    @property
    def voice(self) -> Client:
        """The one that `speak_up` made last."""
        return self._voices[-1]

    # --- REST

    async def post(self, path: str, body: Any = None, *, status: int = 200) -> dict[str, Any]:
        return await self._request("POST", path, status, json=body)

    async def get(
        self, path: str, *, status: int = 200, traceparent: str = "", request_id: str = ""
    ) -> dict[str, Any]:
        sent = {"traceparent": traceparent, "X-Request-ID": request_id}
        return await self._request("GET", path, status, {name: text for name, text in sent.items() if text})

    async def call(self, method: str, path: str, body: Any = None, *, status: int = 200) -> dict[str, Any]:
        return await self._request(method, path, status, json=body)

    async def _request(
        self,
        method: str,
        path: str,
        status: int,
        more: Mapping[str, str] = MappingProxyType({}),
        **options: Any,
    ) -> dict[str, Any]:
        headers = {**more, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        async with self._http.request(method, self.url + path, headers=headers, **options) as answer:
            body: dict[str, Any] = await answer.json(content_type=None)
            assert answer.status == status, body
            return body

    async def create_room(self, name: str, **settings: Any) -> str:
        room = await self.post("/rooms", {"name": name, **settings}, status=201)
        return str(room["id"])

    # --- the websocket

    @asynccontextmanager
    async def in_room(self, room: str) -> AsyncIterator[Self]:
        """Joined and connected; the connection is closed at the end, the seat kept."""
        self.room = room
        await self.post(f"/rooms/{room}/join")
        async with self.connected():
            yield self

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Self]:
        """The websocket alone, of the room joined last. It may be lost meanwhile (`closed`)."""
        url = f"{self._ws_url}/ws/rooms/{self.room}?access_token={self.token}&user_id={self.id}"
        async with self.connected_at(url):
            yield self

    @asynccontextmanager
    async def connected_at(self, url: str) -> AsyncIterator[Self]:
        """A websocket at any address."""
        self._frames.clear()
        self.closed = asyncio.Event()
        async with self._http.ws_connect(url, timeout=aiohttp.ClientWSTimeout(ws_close=PATIENCE)) as socket:
            self._socket = socket
            reading = asyncio.create_task(self._read(socket))
            try:
                await self.frame("state")
                yield self
            finally:
                await socket.close()
                await reading

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            frame = message.json()
            frames.SENT.check(frame)
            self._queue(frame["type"]).put_nowait(frame)
        self.close_code = socket.close_code
        self.closed.set()

    def _queue(self, kind: str) -> asyncio.Queue[dict[str, Any]]:
        return self._frames.setdefault(kind, asyncio.Queue())

    async def send(self, kind: str, *, ref_id: str | None = None, **payload: Any) -> None:
        frame = {"type": kind, "payload": payload} | ({"id": ref_id} if ref_id else {})
        frames.RECEIVED.check(frame)
        await self._socket.send_json(frame)

    async def frame(self, kind: str, *, patience: float = PATIENCE) -> dict[str, Any]:
        """The payload of the next frame of this type, with its `seq` where it has one."""
        frame = await self.either(kind, patience=patience)
        payload: dict[str, Any] = frame["payload"]
        return payload | ({"seq": frame["seq"]} if "seq" in frame else {})

    async def either(self, *kinds: str, patience: float = PATIENCE) -> dict[str, Any]:
        """The next frame of one of these types, whole."""
        waiting = [asyncio.create_task(self._queue(kind).get()) for kind in kinds]
        done, others = await asyncio.wait(waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()
        if not done:
            raise TimeoutError(f"none of {kinds} came")
        return done.pop().result()

    async def say(self, text: str, client_msg_id: str) -> dict[str, Any]:
        await self.send("chat", message=text, client_msg_id=client_msg_id)
        return await self.frame("chat_ack")

    # --- voice

    async def speak_up(self, slots: int = SLOTS) -> None:
        """Offers, again when told so, and is connected with a new voice that hears `slots` others at once."""
        self._voices.append(Client(slots))
        while True:
            await self.send("offer", sdp=self.voice.offer())
            answer = await self.either("answer", "error")
            if answer["type"] == "answer":
                break
            assert answer["payload"]["retryable"], answer
            await asyncio.sleep(answer["payload"]["retry_after_ms"] / 1000)  # as the server asked
        self.voice_id = answer["payload"]["voice_id"]
        await self.voice.connect(answer["payload"]["sdp"])

    def fall_silent(self) -> None:
        """Its voice is gone without a word, as that of a laptop that is shut."""
        self._voices.pop().socket.close()

    async def hears_from_the_worker(self) -> None:
        """Adopts the voice that it has, so that the worker is asked, after all that it was told before."""
        ref_id = f"adopts {next(self._numbers)}"
        await self.send("voice_attach", ref_id=ref_id, voice_id=self.voice_id)
        while (await self.either("slots")).get("id") != ref_id:
            pass

    async def is_heard_by(self, *others: Student) -> bool:
        """Whether of packets said from now on one comes to each of the others within the patience."""
        for other in others:
            other.voice.receive()
        waiting = set(others)
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while waiting and asyncio.get_running_loop().time() < deadline:
            self.voice.send(b"opus")
            await asyncio.sleep(0.02)  # the pace of speech
            waiting = {other for other in waiting if not other.voice.receive()}
        return not waiting

    async def is_unheard_by(self, other: Student) -> bool:
        """Whether of half a second of packets none comes, the first 100 ms aside: so soon it must hold."""
        for number in range(25):
            if number == 5:
                other.voice.receive()
            self.voice.send(b"opus")
            await asyncio.sleep(0.02)  # the pace of speech
        return other.voice.receive() == 0
