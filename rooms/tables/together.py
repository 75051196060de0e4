"""Work that is cheaper done together: what is asked for while some is being done is done in one go.

The first is done at once. So a lone one waits for nothing, and of a crowd whoever comes within PAUSE_SECONDS
goes together.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

import asyncpg

from common import trace
from common.errors import CwrkError

PAUSE_SECONDS = 0.05
SLOW_SECONDS = 0.25  # what takes longer keeps the next ones waiting no more
MOST_TOGETHER = 256
MOST_AT_ONCE = 3  # each has a connection to PostgreSQL; and as many of those that go alone

In = TypeVar("In")
Out = TypeVar("Out")
#: What became of each: None for what cannot be done together with others just now.
Outcomes = Sequence[Out | CwrkError | None]
Asked = tuple[In, "asyncio.Future[Out]"]


class Together(Generic[In, Out]):
    """`work(items, alone)` gives an outcome for each. Those with None come again, all of a `key` together.

    Where PostgreSQL refuses several of them, each comes again by itself: none pays for another's fault.
    """

    def __init__(
        self, work: Callable[[Sequence[In], bool], Awaitable[Outcomes[Out]]], key: Callable[[In], Hashable]
    ) -> None:
        self._work = work
        self._key = key
        self._waiting: deque[Asked[In, Out]] = deque()
        self._turns: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._held: set[asyncio.Task[None]] = set()
        self._alone = asyncio.Semaphore(MOST_AT_ONCE)

    async def do(self, item: In) -> Out:
        """Its outcome. Raises what `work` raises, or its outcome where that is an error."""
        asked: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, asked))
        if self._turns is None:
            self._turns = asyncio.create_task(self._take_turns())
        return await asked

    async def _take_turns(self) -> None:
        try:
            while self._waiting:
                if len(self._running) >= MOST_AT_ONCE:
                    await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                some = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
                task = asyncio.create_task(self._run(some, alone=False))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
                await asyncio.gather(asyncio.wait({task}, timeout=SLOW_SECONDS), asyncio.sleep(PAUSE_SECONDS))
        finally:
            self._turns = None

    async def _run(self, some: Sequence[Asked[In, Out]], *, alone: bool) -> None:
        try:
            with trace.span("together", root=True, cwrk_together=len(some)):
                outcomes = await self._work([item for item, _ in some], alone)
        except asyncpg.PostgresError as error:
            if len(some) == 1:
                _refuse(some, error)
                return
            for one in some:
                await self._run([one], alone=True)
            return
        except Exception as error:
            _refuse(some, error)
            return
        left: dict[Hashable, list[Asked[In, Out]]] = {}
        for (item, asked), outcome in zip(some, outcomes, strict=True):
            if asked.done():
                continue
            if outcome is None:
                left.setdefault(self._key(item), []).append((item, asked))
            elif isinstance(outcome, CwrkError):
                asked.set_exception(outcome)
            else:
                asked.set_result(outcome)
        for group in left.values():
            task = asyncio.create_task(self._in_turn(group))
            self._held.add(task)
            task.add_done_callback(self._held.discard)

    async def _in_turn(self, group: Sequence[Asked[In, Out]]) -> None:
        async with self._alone:
            await self._run(group, alone=True)


def _refuse(some: Sequence[Asked[In, Out]], error: Exception) -> None:
    for _, asked in some:
        if not asked.done():
            asked.set_exception(error)
