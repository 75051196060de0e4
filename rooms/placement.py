"""Which media worker a room lives on.

A row in PostgreSQL says so, with a generation that counts how many times the room has been placed; it is
changed by compare-and-set, so two replicas cannot both have their way. What was read is remembered: only the
first voice of a room asks the table, and the first after a worker was lost.

Replicas may disagree for a moment, when one has lost a worker that another still hears. The newer generation
decides: each worker tells every replica which rooms it has and by which generation, and who hears of two
tells the older one to end its voices of the room.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from common import VERSION, log
from common.errors import Conflict, CwrkError, NotFound, Unavailable
from rooms.media_client import Worker, unavailable
from rooms.tables.placements import Placed, Placements

#: Who wants a voice waits so long for a worker that is away: one that restarts is back by then.
PATIENCE_SECONDS = 2.5
#: Of so many rooms it is remembered where they are; who was not asked for the longest is forgotten first.
REMEMBERED = 100_000
#: Others place the same room at the same time: then theirs holds. So often in a row is a fault.
TRIES = 4

STALE = "PLACEMENT_STALE"
UNWILLING = ("WORKER_FULL", "WORKER_DRAINING")

T = TypeVar("T")

logger = log.get("rooms.placement")


class Placement:
    """`moved(room_id)`: what voices the room had are lost, and clients are to offer again."""

    def __init__(self, table: Placements, moved: Callable[[str], None]) -> None:
        self.workers: dict[str, Worker] = {}
        self.placed = 0  # rooms, since the start, by us
        self._table = table
        self._moved = moved
        self._known: OrderedDict[str, Placed] = OrderedDict()
        #: Their worker was lost since: the room may be elsewhere by now.
        self._doubtful: set[str] = set()
        self._placing: dict[str, asyncio.Task[Placed]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._began = asyncio.get_running_loop().time()

    async def ask(self, room_id: str, call: Callable[[Worker, int], Awaitable[T]]) -> T:
        """What the room's worker says to `call(worker, generation)`; a room without one is placed first.

        A worker that knows better, or takes no more rooms, is not the end: the room is looked up or placed
        anew, once. Raises Unavailable, NotFound for a deleted room, and what the worker raises.
        """
        placed = await self._where(room_id)
        try:
            return await call(self.workers[placed.worker], placed.generation)
        except CwrkError as refusal:
            if refusal.code == STALE:
                self._doubtful.add(room_id)
            elif refusal.code not in UNWILLING or len(self.workers) == 1:
                raise
            but_not = "" if refusal.code == STALE else placed.worker
        placed = await self._where(room_id, after=placed.generation, but_not=but_not)
        try:
            return await call(self.workers[placed.worker], placed.generation)
        except Conflict as refusal:
            raise unavailable() if refusal.code == STALE else refusal from None

    def having(self, room_id: str) -> list[Worker]:
        """Where voices of the room can be: its worker, or, where that is not sure, all."""
        placed = self._known.get(room_id)
        if placed is None or room_id in self._doubtful or placed.worker not in self.workers:
            return [worker for worker in self.workers.values() if worker.alive]
        return [self.workers[placed.worker]]

    @property
    def remembered(self) -> int:
        """Rooms of which it is known where they are."""
        return len(self._known)

    async def trouble(self) -> str | None:
        """For /readyz: which workers are not heard."""
        away = [address for address, worker in self.workers.items() if not worker.alive]
        return f"Not heard: {', '.join(away)}." if away else None

    def is_at(self, worker: Worker, room_id: str) -> bool:
        """Whether the room is, as far as we know, that worker's."""
        placed = self._known.get(room_id)
        return placed is None or placed.worker == worker.address

    # --- what is heard of workers -------------------------------------------------------------------------

    def spare(self, worker: Worker) -> bool:
        """Whether another one could take this one's rooms."""
        return any(each.takes_rooms for each in self.workers.values() if each is not worker)

    def came(self, worker: Worker) -> None:
        self._news.set()

    def lost(self, worker: Worker) -> None:
        """The worker is gone, and with it every voice that it had."""
        self._news.set()
        for room_id, placed in list(self._known.items()):
            if placed.worker == worker.address:
                self._doubtful.add(room_id)
                self._moved(room_id)

    def held(self, worker: Worker, room_id: str, generation: int) -> None:
        """The worker has the room, by this generation."""
        placed = self._known.get(room_id)
        if placed is not None and placed.generation > generation:
            if placed.worker != worker.address:
                self._end(worker, room_id, placed.generation)
        elif generation:
            self._learn(room_id, Placed(worker.address, generation))

    # --- finding and placing ------------------------------------------------------------------------------

    async def _where(self, room_id: str, after: int = 0, but_not: str = "") -> Placed:
        """Where the room is, placed after that generation and not on that worker."""
        placed = self._known.get(room_id)
        sure = placed is not None and placed.generation > after and room_id not in self._doubtful
        if placed is not None and sure and self._takes(placed):
            self._known.move_to_end(room_id)
            return placed
        placing = self._placing.get(room_id)
        if placing is None:  # one for all who ask meanwhile
            placing = asyncio.create_task(self._find(room_id, after, but_not))
            self._placing[room_id] = placing
            placing.add_done_callback(lambda done: self._found(room_id, done))
        return await asyncio.shield(placing)

    def _found(self, room_id: str, done: asyncio.Task[Placed]) -> None:
        del self._placing[room_id]
        if not done.cancelled():
            done.exception()  # whoever asked may have gone

    async def _find(self, room_id: str, after: int, but_not: str) -> Placed:
        def free() -> list[Worker]:
            return [each for each in self.workers.values() if each.takes_rooms and each.address != but_not]

        await self._until(lambda: bool(free()))
        placed = known = self._known.get(room_id)
        if known is not None and room_id in self._doubtful:
            placed = await self._look(room_id, known)
        for _ in range(TRIES):
            if placed is not None:
                await self._found_yet(placed)
                # The table of a restored backup may not know of what workers have been told.
                newest = max(after + 1, known.generation if known else 0)
                if self._takes(placed) and placed.generation >= newest:
                    self._learn(room_id, placed)
                    return placed
            # While versions are mixed, what is placed on an old worker would have to move once more.
            worker = min(free(), key=lambda each: (each.version != VERSION, each.load), default=None)
            if worker is None:
                raise unavailable()
            moved = await self._table.move(room_id, placed.generation if placed else 0, worker.address)
            if moved is not None:
                worker.load += 1
                self.placed += 1
                logger.info("room placed", room_id=room_id, at=moved.worker, generation=moved.generation)
                self._learn(room_id, moved)
                return moved
            placed = await self._table.find(room_id)
            if placed is None:
                raise NotFound("There is no such room.", code="ROOM_NOT_FOUND")
        raise unavailable()

    async def _look(self, room_id: str, known: Placed) -> Placed:
        """Where the table has it. Without the table: where it was, if that worker is back."""
        try:
            return await self._table.find(room_id) or known
        except Unavailable:
            if self._takes(known):
                return known
            raise

    def _takes(self, placed: Placed) -> bool:
        worker = self.workers.get(placed.worker)
        return worker is not None and worker.takes_rooms

    async def _found_yet(self, placed: Placed) -> None:
        """We have just started, and others may hear a worker already that we do not: it is waited for."""
        worker = self.workers.get(placed.worker)
        if worker and not worker.seen and asyncio.get_running_loop().time() < self._began + PATIENCE_SECONDS:
            await self._until(lambda: worker.seen)

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Waits for news of workers, for as long as somebody who wants a voice may be kept waiting."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not condition():
                    self._news.clear()
                    await self._news.wait()

    def _learn(self, room_id: str, placed: Placed) -> None:
        """The newest that is known of the room. If it was elsewhere, what it had there ends."""
        before = self._known.get(room_id)
        if before is not None and before.generation > placed.generation:
            return  # heard meanwhile
        self._known[room_id] = placed
        self._known.move_to_end(room_id)
        self._doubtful.discard(room_id)
        if len(self._known) > REMEMBERED:
            self._doubtful.discard(self._known.popitem(last=False)[0])
        if before is not None and before.worker != placed.worker:
            self._moved(room_id)
            if before.worker in self.workers:
                self._end(self.workers[before.worker], room_id, placed.generation)

    def _end(self, worker: Worker, room_id: str, generation: int) -> None:
        task = asyncio.create_task(self._end_there(worker, room_id, generation))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end_there(self, worker: Worker, room_id: str, generation: int) -> None:
        try:
            await worker.end_room(room_id, generation)
        except CwrkError as problem:
            # Gone, with its voices; or it will say again that it has the room, when we hear it again.
            logger.info("room not ended", room_id=room_id, at=worker.address, code=problem.code)

    async def close(self) -> None:
        """Stop what runs on its own."""
        tasks = [*self._placing.values(), *self._ending]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
