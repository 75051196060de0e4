"""When queued frames go out: at once on a quiet connection, every 5 ms on a busy one.

A write is a system call, and the larger part of what a delivery costs; what is due
within 5 ms goes out in one. A lone frame waits for nothing but the end of what is
being done just now, unless it goes to a crowd (connection.broadcast).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from common import log

COALESCE_SECONDS = 0.005

logger = log.get("rooms.flusher")


class Queued(Protocol):
    flushed_at: float

    def flush(self) -> None: ...
    def abort(self) -> None: ...


class Flusher:
    """One for all connections, and bounded by what they have queued."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._soon: list[Queued] = []
        self._later: list[Queued] = []

    def quiet_since(self) -> float:
        """Who was flushed before this is quiet."""
        return self._loop.time() - COALESCE_SECONDS

    def due(self, queued: Queued) -> None:
        """It has something to write, which it had not before."""
        if queued.flushed_at <= self.quiet_since():
            self.add((queued,), ())
        else:
            self.add((), (queued,))

    def add(self, soon: Sequence[Queued], later: Sequence[Queued]) -> None:
        """The same of many: the quiet ones, and the others."""
        if soon and not self._soon:
            self._loop.call_soon(self._flush_soon)
        if later and not self._later:
            self._loop.call_later(COALESCE_SECONDS, self._flush_later)
        self._soon += soon
        self._later += later

    def _flush_soon(self) -> None:
        queued, self._soon = self._soon, []
        self._flush(queued)

    def _flush_later(self) -> None:
        queued, self._later = self._later, []
        self._flush(queued)

    def _flush(self, queued: list[Queued]) -> None:
        now = self._loop.time()
        for each in queued:
            each.flushed_at = now
            try:
                each.flush()
            except Exception:  # the others' frames wait no longer for that
                logger.exception("not written")
                each.abort()  # what it did not get it asks for when it comes back
