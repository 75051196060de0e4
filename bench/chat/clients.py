"""A light load: raw websockets that look for a mark in what comes, and hardly at more.

The same code is the client of every server, so that what it costs is the same for
all. Our frames have the mask 0, which is a mask, and costs nothing.
"""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

MARK = b"<mark>"
ACK = b'"chat_ack"'
PING, PONG = b"\x89\x00", b"\x8a\x80\x00\x00\x00\x00"
UPGRADED = b"HTTP/1.1 101"
PATIENCE = 60.0
AT_ONCE = 50  # that connect at the same time


def frame(payload: bytes) -> bytes:
    """A text frame of a client."""
    if len(payload) < 126:
        head = struct.pack("!BB", 0x81, 0x80 | len(payload))
    else:
        head = struct.pack("!BBH", 0x81, 0x80 | 126, len(payload))
    return head + b"\0\0\0\0" + payload


@dataclass(frozen=True)
class Dialect:
    """How one talks to a server: `hail` answers what it says first, `ready` ends the beginning."""

    name: str
    ready: bytes
    hail: bytes = b""

    def chat(self, text: str, number: int) -> bytes:
        """The frame that says `text`."""
        if self.name == "rooms":
            said: Any = {"type": "chat", "payload": {"message": text, "client_msg_id": f"bench-{number:010}"}}
            return frame(json.dumps(said, separators=(",", ":")).encode())
        said = {"message": text}
        if self.name == "socket.io":
            return frame(b"42" + json.dumps(["chat", said], separators=(",", ":")).encode())
        return frame(json.dumps(said, separators=(",", ":")).encode())


ROOMS = Dialect("rooms", ready=b'"participants"')
WS = Dialect("ws", ready=b"101 Switching")
SOCKET_IO = Dialect("socket.io", ready=b'40{"sid"', hail=frame(b"40"))


@dataclass
class Tally:
    """What a crowd has seen together."""

    marks: int = 0
    _target: int = -1
    _reached: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, marks: int) -> None:
        self.marks += marks
        if self.marks >= self._target:
            self._reached.set()

    async def reach(self, target: int) -> None:
        """Wait until `target` marks have come in all."""
        self._target = target
        if self.marks < target:
            self._reached.clear()
            try:
                await asyncio.wait_for(self._reached.wait(), PATIENCE)
            except TimeoutError:
                raise TimeoutError(f"{target - self.marks} of {target} did not come") from None


class Client(asyncio.Protocol):
    """One websocket."""

    def __init__(self, dialect: Dialect, path: str, tally: Tally, latencies: list[float]) -> None:
        self._dialect, self._path, self._hail = dialect, path, dialect.hail
        self._tally = tally
        self._rest = b""  # what may be the beginning of a mark
        self._begun = bytearray()
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport
        self.waiting: deque[float] = deque()  # when what is not acked was due
        self.latencies = latencies
        self.acked: Callable[[Client], None] | None = None
        self.lost = False
        self.chat_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            self._begin(data)
            return
        if MARK in data or self._rest:
            data = self._rest + data
            if marks := data.count(MARK):
                self._tally.add(marks)
                self.chat_bytes = self.chat_bytes or len(data) // marks
        if self.waiting and ACK in data:
            now = time.perf_counter()
            for _ in range(data.count(ACK)):
                self.latencies.append(now - self.waiting.popleft())
                if self.acked is not None:
                    self.acked(self)
        if PING in data:  # no text holds a NUL
            self.transport.write(PONG)
        elif data == b"\x81\x012":  # socket.io's own
            self.transport.write(frame(b"3"))
        # A mark or an ack that is cut in two by the end of a read is put together again.
        self._rest = tail_of(data)

    def _begin(self, data: bytes) -> None:
        self._begun += data
        if len(self._begun) >= len(UPGRADED) and not self._begun.startswith(UPGRADED):
            self.transport.close()  # and `ready` says what it was told instead
        elif self._hail and b'0{"sid"' in self._begun:
            self.transport.write(self._hail)
            self._hail = b""
        elif self._dialect.ready in self._begun:
            self.ready.set_result(None)
            self._begun.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"refused: {bytes(self._begun[:300])!r}"))

    def say(self, number: int, text: str, due: float | None = None) -> None:
        if due is not None:
            self.waiting.append(due)
        self.transport.write(self._dialect.chat(text, number))


def tail_of(data: bytes) -> bytes:
    """The end of `data` that may be the beginning of a mark or an ack."""
    if data.endswith((b"}", b"]")):  # the end of a frame, as nearly always
        return b""
    for size in range(len(ACK) - 1, 0, -1):
        end = data[-size:]
        if ACK.startswith(end) or (size < len(MARK) and MARK.startswith(end)):
            return end
    return b""


@dataclass
class Crowd:
    """Everybody who is connected to one server."""

    clients: list[Client]
    tally: Tally
    latencies: list[float]

    async def leave(self) -> None:
        for client in self.clients:
            client.transport.abort()
        await asyncio.sleep(0.2)  # for the server to see it

    @property
    def lost(self) -> int:
        return sum(client.lost for client in self.clients)


async def connect(dialect: Dialect, port: int, paths: Sequence[str]) -> Crowd:
    """A websocket for each path."""
    loop = asyncio.get_running_loop()
    crowd = Crowd([], Tally(), [])
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(path: str) -> Client:
        async with gate, asyncio.timeout(PATIENCE):
            _, client = await loop.create_connection(
                lambda: Client(dialect, path, crowd.tally, crowd.latencies), "127.0.0.1", port
            )
            await client.ready
            return client

    crowd.clients.extend(await asyncio.gather(*map(one, paths)))
    return crowd
