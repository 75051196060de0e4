"""One timer that wakes many connections, each at its time: a task or a timer for each would cost more."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import Protocol

from common import log

logger = log.get("rooms.watch")


class Watched(Protocol):
    def due(self, now: float) -> None:
        """Do what the time asks for."""

    def abort(self) -> None:
        """End at once."""


class Watch:
    """Bounded by the connections: each is in here once, and once more for an earlier time it asked for.

    One that has ended is let go when its time comes. A fault in one is its own end, and nobody else's.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heap: list[tuple[float, int, Watched]] = []
        self._turn = itertools.count()  # two of the same time are not compared
        self._timer: asyncio.TimerHandle | None = None

    def at(self, when: float, watched: Watched) -> None:
        """Wake it then. What was asked for before holds too."""
        entry = (when, next(self._turn), watched)
        heapq.heappush(self._heap, entry)
        if self._heap[0] is entry:
            self._arm()

    def close(self) -> None:
        """End everybody who is still here."""
        if self._timer is not None:
            self._timer.cancel()
        for _, _, watched in self._heap:
            _end(watched)
        self._heap.clear()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._heap[0][0], self._wake) if self._heap else None

    def _wake(self) -> None:
        now = self._loop.time()
        while self._heap and self._heap[0][0] <= now:
            watched = heapq.heappop(self._heap)[2]
            try:
                watched.due(now)
            except Exception:
                logger.exception("not done in time")
                _end(watched)  # nobody would wake it again
        self._arm()


def _end(watched: Watched) -> None:
    try:
        watched.abort()
    except Exception:
        logger.exception("not ended")
