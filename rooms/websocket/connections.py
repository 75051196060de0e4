"""The websockets of this replica that are attached to a room, by name; and how they are sent away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator

from rooms.frames.codec import encode
from rooms.frames.outgoing import Reconnect
from rooms.websocket import wire
from rooms.websocket.connection import Connection

SLICE_SECONDS = 0.005  # those whose turns are closer together go together


class Connections:
    """Bounded by who is let in."""

    def __init__(self) -> None:
        self._open: dict[str, Connection] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    def add(self, connection: Connection) -> None:
        self._open[connection.conn_id] = connection
        self._empty.clear()

    def remove(self, conn_id: str) -> None:
        del self._open[conn_id]
        if not self._open:
            self._empty.set()

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._open.values())

    def get(self, conn_id: str) -> Connection | None:
        return self._open.get(conn_id)

    def these(self, conn_ids: Iterable[str]) -> list[Connection]:
        """Those that are still there."""
        return [self._open[conn_id] for conn_id in conn_ids if conn_id in self._open]

    def reconnect_all(self, within_ms: int) -> None:
        """Tell every connection that this replica goes away."""
        frame = wire.text(encode(Reconnect(within_ms)))
        for connection in list(self._open.values()):
            connection.send(frame)

    async def send_away(self, seconds: float, code: int, reason: str) -> None:
        """Let everybody go, one after the other over `seconds`, each when nothing of theirs is being saved.

        Ends early when nobody is left: who understands `reconnect` goes by themselves.
        """
        loop = asyncio.get_running_loop()
        began, everybody = loop.time(), list(self._open.values())
        for number, connection in enumerate(everybody, 1):
            wait = began + seconds * number / len(everybody) - loop.time()
            if wait > SLICE_SECONDS:
                await self.empty(wait)
            connection.leave(code, reason)

    def close_all(self, code: int, reason: str) -> None:
        """Close every connection after what is queued."""
        for connection in list(self._open.values()):
            connection.close(code, reason)

    async def empty(self, seconds: float) -> None:
        """Wait until no connection is attached, at most `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._empty.wait()
