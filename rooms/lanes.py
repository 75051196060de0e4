"""Lanes: work with the same key runs one after the other, work with different keys side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

from common import log
from common.errors import CwrkError, TooMany

T = TypeVar("T")

# A lane that is longer than this has stopped moving; more is refused with TooMany.
LONGEST = 64

logger = log.get("rooms.lanes")


class Lanes:
    """A participant's calls to the worker, or writes to the tables, in the order they were asked for."""

    def __init__(self) -> None:
        self._last: dict[Hashable, asyncio.Task[object]] = {}
        self._length: dict[Hashable, int] = {}

    async def run(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` gives, after everything before it in the lane. It runs even if the caller gives up."""
        self._check(key)
        task = self._enqueue(key, work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(log_fault)
            raise

    def start(self, key: Hashable, work: Callable[[], Awaitable[object]], *, always: bool = False) -> bool:
        """The same, with nobody waiting: a failure is logged. False when the lane is full.

        `always`: never refused, for who sees to it that there are few of them.
        """

        async def alone() -> None:
            try:
                await work()
            except CwrkError as error:
                logger.warning("not done", lane=str(key), code=error.code)
            except Exception:
                logger.exception("unexpected error", lane=str(key))

        try:
            if not always:
                self._check(key)
        except TooMany:
            logger.warning("lane is full", lane=str(key))
            return False
        self._enqueue(key, alone)
        return True

    async def drain(self) -> None:
        """Wait until every lane is empty."""
        while self._last:
            await asyncio.wait(self._last.values())

    @property
    def waiting(self) -> int:
        """What waits or runs, in all lanes."""
        return sum(self._length.values())

    def _check(self, key: Hashable) -> None:
        if self._length.get(key, 0) >= LONGEST:
            raise TooMany("Too much at once. Try again in a moment.", retry_after=1.0)

    def _enqueue(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        before = self._last.get(key)

        async def in_turn() -> T:
            try:
                if before is not None:
                    await asyncio.wait([before])
                return await work()
            finally:
                self._length[key] -= 1
                if self._length[key] == 0:
                    del self._length[key], self._last[key]

        task = asyncio.create_task(in_turn())
        self._last[key] = task
        self._length[key] = self._length.get(key, 0) + 1
        # Whoever waits gets the exception; when nobody does any more, it is not worth a warning.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task


def log_fault(done: asyncio.Task[object]) -> None:
    """A fault of ours that nobody waits for any more."""
    problem = None if done.cancelled() else done.exception()
    if problem is not None and not isinstance(problem, CwrkError):
        logger.error("unexpected error", exc_info=problem)
