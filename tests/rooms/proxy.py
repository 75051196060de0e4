"""A TCP proxy, for failures at a chosen moment: before PostgreSQL, Valkey, or a replica's websocket."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit, urlunsplit

CHUNK = 65536

# What a commit looks like on its way to PostgreSQL. A batch of the log is one statement that commits by
# itself: its parameters hold the kinds of events, each after its length.
COMMITS = (b"COMMIT", b"\0\0\0\4chat")


@dataclass(eq=False)
class Line:
    """One connection through the proxy."""

    task: asyncio.Task[None]
    listens: bool = False  # it said SUBSCRIBE
    silent: bool = False  # its answers are lost
    ends: list[asyncio.StreamWriter] = field(default_factory=list)


Which: TypeAlias = Callable[[Line], bool]


def every(_: Line) -> bool:
    return True


def none(_: Line) -> bool:
    return False


def listening(line: Line) -> bool:
    """Of Valkey's: those over which notices come."""
    return line.listens


class Proxy:
    """Passes bytes on until told otherwise. `url` leads through it."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._lines: dict[Line, None] = {}
        self._on_commit: Callable[[Line], bool] | None = None
        self._cuts: Which = none
        self._holds: Which = none
        self._released = asyncio.Event()
        self._stalled = asyncio.Event()

    @property
    def url(self) -> str:
        user, at, _ = self._target.netloc.rpartition("@")
        return urlunsplit(self._target._replace(netloc=f"{user}{at}127.0.0.1:{self._port}"))

    @property
    def lines(self) -> list[Line]:
        """The connections there are now, the oldest first."""
        return list(self._lines)

    async def restore(self) -> None:
        """Take connections, on the same port as before, and pass on everything."""
        self.go_on()
        self._cuts = none
        if self._server is None:
            self._server = await asyncio.start_server(self._line, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Cut every connection, and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.reset(every)

    async def keep_cutting(self, which: Which) -> None:
        """Cut these connections, and new ones as soon as they are such, until restored."""
        self._cuts = which
        await self.reset(which)

    async def reset(self, which: Which) -> None:
        """Cut these connections, once."""
        tasks = [line.task for line in self._lines if which(line)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def stall(self, which: Which) -> None:
        """Leave these connections open and pass nothing on, until `go_on`."""
        self._released.clear()
        self._holds = which

    def go_on(self) -> None:
        """Nothing is held any more, nor will the next COMMIT be; what was held arrives now."""
        self._on_commit = None
        self._holds = none
        self._released.set()

    def lose_next_commit(self, *, arrives: bool, then: Callable[[], None] = lambda: None) -> None:
        """Cut the connection that commits next: before it arrives, or before its answer does."""

        def on_commit(line: Line) -> bool:
            line.silent = True
            then()
            return arrives

        self._on_commit = on_commit

    def stall_next_commit(self) -> None:
        """Hold the connection that commits next, before it arrives, until `go_on`."""

        self._stalled.clear()

        def on_commit(committing: Line) -> bool:
            self.stall(lambda line: line is committing)
            self._stalled.set()
            return True

        self._on_commit = on_commit

    async def stalling(self) -> None:
        """Wait until `stall_next_commit` has found one."""
        await self._stalled.wait()

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        line = Line(task, ends=[writer])
        self._lines[line] = None
        try:
            onwards, out = await asyncio.open_connection(self._target.hostname, self._target.port)
            line.ends.append(out)
            there = asyncio.create_task(self._there(line, reader, out))
            back = asyncio.create_task(self._back(line, onwards, writer))
            try:
                await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                there.cancel()
                back.cancel()
                await asyncio.gather(there, back, return_exceptions=True)
            for end in line.ends:
                end.close()
        except (OSError, asyncio.CancelledError):  # nobody there, or cut
            for end in line.ends:
                _reset(end)
        finally:
            del self._lines[line]

    async def _there(self, line: Line, reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            line.listens = line.listens or b"SUBSCRIBE" in data
            if self._cuts(line):
                line.task.cancel()
                return
            if self._on_commit is not None and any(sign in data for sign in COMMITS):
                on_commit, self._on_commit = self._on_commit, None
                if not on_commit(line):
                    line.task.cancel()
                    return
            await self._pass(line, data, out)

    async def _back(self, line: Line, onwards: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await onwards.read(CHUNK):
            if line.silent:
                line.task.cancel()
                return
            await self._pass(line, data, writer)

    async def _pass(self, line: Line, data: bytes, to: asyncio.StreamWriter) -> None:
        while self._holds(line):
            await self._released.wait()
        to.write(data)
        await to.drain()


def _reset(end: asyncio.StreamWriter) -> None:
    """Close at once and rudely: the other side sees ECONNRESET."""
    kernel = end.get_extra_info("socket")
    if kernel is not None and not end.transport.is_closing():
        kernel.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.transport.abort()


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[Proxy]:
    """A proxy in front of the server at `url`."""
    proxy = Proxy(url)
    await proxy.restore()
    try:
        yield proxy
    finally:
        await proxy.cut()
