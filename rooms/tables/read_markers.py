"""Read markers on their way to the tables: of each participant the newest, and one write a second at most."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

SECONDS = 1.0  # between two writes of one participant


class ReadMarkers:
    """`write` puts a participant's marker into the tables, never back; `start` runs what nobody waits for.

    Bounded by the participants: each has one marker in here, however many they send.
    """

    def __init__(
        self, write: Callable[[str, int, int], Awaitable[None]], start: Callable[[Awaitable[None]], None]
    ) -> None:
        self._write = write
        self._start = start
        self._newest: dict[tuple[str, int], int] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = asyncio.Event()

    def move(self, room_id: str, user_id: int, seq: int) -> None:
        """Written now, or a moment after the one before; what is not ahead of that one is not."""
        key = room_id, user_id
        if key in self._newest:
            self._newest[key] = max(self._newest[key], seq)
            return
        self._newest[key] = seq
        self._idle.clear()
        self._start(self._keep(key))

    async def drain(self) -> None:
        """Write all that is here, without waiting."""
        self._draining.set()
        await self._idle.wait()

    async def _keep(self, key: tuple[str, int]) -> None:
        written = 0
        try:
            while (seq := self._newest[key]) > written:
                await self._write(*key, seq)
                written = seq
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SECONDS):
                        await self._draining.wait()
        finally:
            del self._newest[key]
            if not self._newest:
                self._idle.set()
