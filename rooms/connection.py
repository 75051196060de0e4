"""One websocket: its outbox, its writer, and its watch on silence. The reader is in websocket.py.

The outbox holds at most 512 frames or 1 MiB. When it is full the connection is
closed with 4101 (SLOW_READER): durable frames are never dropped silently, since
a client that comes back resumes after the last one it saw.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import uuid4

from aiohttp import WSMsgType, web

MAX_FRAMES = 512
MAX_BYTES = 1 << 20
KERNEL_BYTES = 128 * 1024  # and this in the kernel, which would take megabytes of its own accord

PING_SECONDS = 15.0
SILENCE_SECONDS = 35.0
AUTH_SECONDS = 5.0  # for the first frame, where the URL has no credential
CLOSE_SECONDS = 2.0  # for a close frame to go out and be answered

SLOW_READER = (4101, "SLOW_READER")
NO_PONG = (4202, "NO_PONG")
TOKEN_EXPIRED = (4201, "TOKEN_EXPIRED")


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a client's websocket ping."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ping:
    """Our own websocket ping."""


Item: TypeAlias = bytes | Pong | Ping  # bytes: a frame's text in UTF-8


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds; tests make them short."""

    ping: float = PING_SECONDS
    silence: float = SILENCE_SECONDS
    close: float = CLOSE_SECONDS
    auth: float = AUTH_SECONDS


@dataclass(eq=False)
class Connection:
    """One websocket. `send` and `close` never wait; `run` does the writing until it is closed."""

    websocket: web.WebSocketResponse
    transport: asyncio.Transport | None
    timing: Timing
    expires_at: float  # of the token, in the event loop's time
    reading: asyncio.Task[None] | None = None  # ends before the goodbye, which reads the answer itself
    conn_id: str = field(default_factory=lambda: uuid4().hex)
    heard_at: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    closed_with: tuple[int, str] | None = None
    _outbox: deque[Item] = field(default_factory=deque)
    _bytes: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _drained: asyncio.Event = field(default_factory=asyncio.Event)
    _closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def closing(self) -> bool:
        """Nothing more is sent but what was before."""
        return self.closed_with is not None

    def send(self, item: Item) -> None:
        """Queue a frame. A full outbox closes the connection instead."""
        if self.closed_with is not None:
            return
        size = len(item) if isinstance(item, bytes) else 0
        if len(self._outbox) >= MAX_FRAMES or self._bytes + size > MAX_BYTES:
            self._outbox.clear()
            self._bytes = 0
            self.close(*SLOW_READER)
            return
        self._outbox.append(item)
        self._bytes += size
        self._drained.clear()
        self._wake.set()

    def close(self, code: int, reason: str) -> None:
        """Close after what is queued. The first code counts."""
        if self.closed_with is None:
            self.closed_with = code, reason
            self._wake.set()
            self._drained.set()
            self._closed.set()

    async def drained(self) -> None:
        """Wait until everything queued is written, or the connection closes."""
        await self._drained.wait()

    async def run(self) -> None:
        """Write until closed: by `close`, by silence, by the token's end, or by the client."""
        self._set_option(socket.SO_SNDBUF, KERNEL_BYTES)
        watch = asyncio.create_task(self._watch())
        try:
            await self._write()
        finally:
            watch.cancel()
            self.close(1006, "LOST")

    async def _write(self) -> None:
        try:
            while True:
                while self._outbox:
                    await self._write_one(self._outbox.popleft())
                self._drained.set()
                if self.closed_with is not None:
                    break
                self._wake.clear()
                await self._wake.wait()
        except (ConnectionError, RuntimeError):  # the client is gone; the reader sees it too
            return
        await self._finish()

    async def _write_one(self, item: Item) -> None:
        if isinstance(item, bytes):
            self._bytes -= len(item)
            await self.websocket.send_frame(item, WSMsgType.TEXT)
        elif isinstance(item, Pong):
            await self.websocket.pong(item.data)
        else:
            await self.websocket.ping()

    async def _finish(self) -> None:
        """Say goodbye, and cut the line when nobody listens."""
        code, reason = self.closed_with or (1000, "")
        try:
            if self.reading is not None:
                self.reading.cancel()
                await asyncio.wait([self.reading])
            async with asyncio.timeout(self.timing.close):
                await self.websocket.close(code=code, message=reason.encode())
        except (TimeoutError, ConnectionError, RuntimeError):
            self._abort()

    def _abort(self) -> None:
        """Cut the line; what the kernel still holds for it is dropped too."""
        if self.transport is not None:
            self._set_option(socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

    def _set_option(self, option: int, value: int | bytes) -> None:
        kernel = self.transport.get_extra_info("socket") if self.transport is not None else None
        if kernel is not None:
            with contextlib.suppress(OSError):  # closed already
                kernel.setsockopt(socket.SOL_SOCKET, option, value)

    async def _watch(self) -> None:
        """Ping, and close on silence, at the token's end, or when a close cannot get through."""
        loop = asyncio.get_running_loop()
        ping_at = loop.time() + self.timing.ping
        while self.closed_with is None:
            due = min(ping_at, self.heard_at + self.timing.silence, self.expires_at)
            try:
                async with asyncio.timeout_at(due):
                    await self._closed.wait()
            except TimeoutError:
                ping_at = self._due(loop.time(), ping_at)
        # The writer may be stuck in a frame that the client does not take.
        await asyncio.sleep(self.timing.close)
        self._abort()

    def _due(self, now: float, ping_at: float) -> float:
        """What the clock asks for; when to ping next."""
        if now >= self.expires_at:
            self.close(*TOKEN_EXPIRED)
        elif now >= self.heard_at + self.timing.silence:
            self.close(*NO_PONG)
        elif now >= ping_at:
            self.send(Ping())
            return now + self.timing.ping
        return ping_at
