"""The events that wait for the bot: bounded, for one reader."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class Inbox(Generic[T]):
    """At most `most` wait. Who comes with one more is told, or waits: nothing is dropped here."""

    most: int
    _waiting: deque[T] = field(default_factory=deque)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: BaseException | None = None

    @property
    def has_room(self) -> bool:
        return len(self._waiting) < self.most

    def put(self, event: T) -> None:
        """The caller has looked whether there is room, or it is too rare to matter."""
        self._waiting.append(event)
        self._changed.set()

    async def room(self) -> None:
        """Until there is some."""
        while not self.has_room:
            self._changed.clear()
            await self._changed.wait()

    def end(self, reason: BaseException) -> None:
        """What waits may still be taken; then `reason` is raised."""
        self._ended = self._ended or reason
        self._changed.set()

    async def take(self) -> T:
        """The next one."""
        while not self._waiting:
            if self._ended is not None:
                raise self._ended
            self._changed.clear()
            await self._changed.wait()
        self._changed.set()  # there is room
        return self._waiting.popleft()
