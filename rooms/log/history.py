"""The log of a room: what is committed here was said, in this order, once.

Drafts of a room wait in its queue; what is there when a connection to PostgreSQL is
free is a batch, written in one go (rooms/log/batches.py). What arrives while a batch
commits is the next batch.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from uuid import UUID

import asyncpg
from prometheus_client import Histogram

from common import log, trace
from common.database import Database
from common.errors import CwrkError, Internal, TooMany, Unavailable
from rooms.core.effects import Draft, Outcome, Saved
from rooms.core.events import Event
from rooms.frames.incoming import Chat, ChatEdit
from rooms.log.batches import Batch
from rooms.log.event_rows import events_after, events_of

LARGEST_BATCH = 256  # drafts
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
# Code points: a batch is broadcast at once, and must leave room in the outbox of a healthy reader.
LONGEST_BATCH = 64 * 1024
LONGEST_QUEUE = 1024  # drafts of one room waiting; past it the sender is told to come back
BATCH_SECONDS = 5.0
LOOK_UP_SECONDS = 5.0
LOOK_UP_AGAIN_SECONDS = 0.2

logger = log.get("rooms.history")

Report = Callable[[str, Sequence[Outcome]], None]


class History:
    """Appends to the logs of rooms, and reads them.

    `report(room_id, outcomes)` hears of each batch; `epoch` says for which history the drafts are.
    """

    def __init__(self, database: Database, report: Report, epoch: Callable[[], str]) -> None:
        self._database = database
        self._report = report
        self._epoch = epoch
        self._queues: dict[str, deque[Draft]] = {}
        self._flushing: set[asyncio.Task[None]] = set()
        #: What became of drafts: saved, repeated (it was in the log), or an error's code.
        self.outcomes = Counter({"saved": 0, "repeated": 0})
        self.sizes = Histogram("cwrk_rooms_batch_drafts", "Drafts a batch.", buckets=SIZES, registry=None)
        self.seconds = Histogram(
            "cwrk_rooms_commit_seconds", "From taking up a batch to its outcome.", registry=None
        )

    @property
    def waiting(self) -> int:
        """Drafts that are in no batch yet."""
        return sum(map(len, self._queues.values()))

    def append(self, room_id: str, draft: Draft) -> None:
        """Save a draft; its outcome is reported later. Raises TooMany when the room's queue is full."""
        queue = self._queues.get(room_id)
        if queue is None:
            queue = self._queues[room_id] = deque()
            task = asyncio.create_task(self._flush(room_id, queue))
            self._flushing.add(task)
            task.add_done_callback(self._flushing.discard)
        if len(queue) >= LONGEST_QUEUE:
            raise TooMany(
                "This room is saving too many messages just now.", code="CHAT_BUSY", retry_after=1.0
            )
        queue.append(draft)

    async def after(self, room_id: str, seq: int, limit: int) -> list[Event]:
        """At most `limit` events after `seq`, ascending. Raises Unavailable."""
        async with asyncio.timeout(BATCH_SECONDS), self._database.connection() as connection:
            return await events_after(connection, UUID(room_id), seq, limit)

    async def events_of(self, room_id: str, msg_ids: Sequence[UUID]) -> list[Event]:
        """These messages and their edits, as they are now. Raises Unavailable."""
        async with asyncio.timeout(BATCH_SECONDS), self._database.connection() as connection:
            return await events_of(connection, UUID(room_id), msg_ids)

    async def drain(self) -> None:
        """Wait until nothing is queued."""
        while self._flushing:
            await asyncio.wait(self._flushing)

    async def _flush(self, room_id: str, queue: deque[Draft]) -> None:
        clock = asyncio.get_running_loop().time
        while queue:
            began = clock()
            with trace.span("chat batch", root=True, cwrk_room=room_id):
                outcomes = await self._save(room_id, queue)
            self.seconds.observe(clock() - began)
            self._count(outcomes)
            try:
                self._report(room_id, outcomes)
            except Exception:
                logger.exception("not reported", room_id=room_id)
        del self._queues[room_id]

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        self.sizes.observe(len(outcomes))
        for outcome in outcomes:
            if isinstance(outcome, Saved):
                self.outcomes["saved" if outcome.event is not None else "repeated"] += 1
            else:
                self.outcomes[outcome[1].code] += 1

    async def _save(self, room_id: str, queue: deque[Draft]) -> Sequence[Outcome]:
        """Save the next batch: what is queued when there is a connection for it."""
        batch: Batch | None = None
        drafts: list[Draft] = []
        try:
            async with asyncio.timeout(BATCH_SECONDS), self._database.connection() as connection:
                drafts = _take(queue)
                batch = Batch(self._database, UUID(room_id), self._epoch(), drafts)
                return await batch.run(connection)
        except CwrkError as error:
            problem = error
        except TimeoutError:
            problem = unsaved()
        except Exception as error:
            if len(drafts) > 1 and isinstance(error, asyncpg.PostgresError):
                # One of them is at fault, and the others shall not pay for it.
                return [outcome for draft in drafts for outcome in await self._save(room_id, deque([draft]))]
            logger.exception("not saved", room_id=room_id)
            problem = Internal("The message could not be saved.")
        if batch is not None and batch.committing:
            return await self._look_up(batch, drafts)
        return [(draft, problem) for draft in drafts or _take(queue)]

    async def _look_up(self, batch: Batch, drafts: list[Draft]) -> Sequence[Outcome]:
        """After a commit without an answer: what the log says of it."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + LOOK_UP_SECONDS
        while loop.time() < give_up:
            try:
                async with asyncio.timeout_at(give_up):
                    found = await batch.find()
                return found or [(draft, unsaved()) for draft in drafts]
            except (CwrkError, TimeoutError):
                await asyncio.sleep(LOOK_UP_AGAIN_SECONDS)
            except Exception:
                logger.exception("not looked up")
                await asyncio.sleep(LOOK_UP_AGAIN_SECONDS)
        unknown = Unavailable(
            "The message may or may not be saved. Send it again with the same client_msg_id.",
            code="OUTCOME_UNKNOWN",
            retry_after=1.0,
        )
        return [(draft, unknown) for draft in drafts]


def _take(queue: deque[Draft]) -> list[Draft]:
    """The next batch: at least one draft."""
    batch = [queue.popleft()]
    length = _length(batch[0])
    while queue and len(batch) < LARGEST_BATCH and length + _length(queue[0]) <= LONGEST_BATCH:
        length += _length(queue[0])
        batch.append(queue.popleft())
    return batch


def _length(draft: Draft) -> int:
    return len(draft.act.message) if isinstance(draft.act, (Chat, ChatEdit)) else 0


def unsaved() -> Unavailable:
    return Unavailable(
        "The message could not be saved. Try again in a moment.", code="NOT_SAVED", retry_after=1.0
    )
