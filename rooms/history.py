"""The log of a room: what is committed here was said, in this order, once.

A batch is one transaction: it holds the room's head row, looks for repeats in a
second statement (the first one's snapshot is older than the lock), gives
last_seq + 1 … to the new ones, inserts, commits. So the order of commits is the
order of seq, and there are no holes. What arrives while a batch commits is the
next batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from uuid import UUID

from common import log
from common.database import Connection, Database
from common.errors import CwrkError, Internal, NotFound, TooMany, Unavailable
from rooms.effects import Draft, Saved
from rooms.event_rows import EVENTS, event_of, events_after
from rooms.events import Event

LARGEST_BATCH = 256  # drafts
# Code points: a batch is broadcast at once, and must leave room in the outbox of a healthy reader.
LONGEST_BATCH = 64 * 1024
LONGEST_QUEUE = 1024  # drafts of one room waiting; past it the sender is told to come back
BATCH_SECONDS = 5.0
LOOK_UP_SECONDS = 5.0
LOOK_UP_AGAIN_SECONDS = 0.2

logger = log.get("rooms.history")

Outcome = Saved | tuple[Draft, CwrkError]
Report = Callable[[str, Sequence[Outcome]], None]


class History:
    """Appends to the logs of rooms, and reads them. `report(room_id, outcomes)` hears of each batch."""

    def __init__(self, database: Database, report: Report) -> None:
        self._database = database
        self._report = report
        self._queues: dict[str, deque[Draft]] = {}
        self._flushing: set[asyncio.Task[None]] = set()

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

    async def drain(self) -> None:
        """Wait until nothing is queued."""
        while self._flushing:
            await asyncio.wait(self._flushing)

    async def _flush(self, room_id: str, queue: deque[Draft]) -> None:
        while queue:
            outcomes = await self._save(UUID(room_id), _take(queue))
            try:
                self._report(room_id, outcomes)
            except Exception:
                logger.exception("not reported", room=room_id)
        del self._queues[room_id]

    async def _save(self, room_id: UUID, batch: list[Draft]) -> Sequence[Outcome]:
        transaction = Append(self._database, room_id, batch)
        try:
            async with asyncio.timeout(BATCH_SECONDS):
                return await transaction.run()
        except CwrkError as error:
            problem = error
        except TimeoutError:
            problem = unsaved()
        except Exception:
            logger.exception("not saved", room=str(room_id))
            problem = Internal("The message could not be saved.")
        if transaction.committing:
            return await self._look_up(transaction, batch)
        return [(draft, problem) for draft in batch]

    async def _look_up(self, transaction: Append, batch: list[Draft]) -> Sequence[Outcome]:
        """After a COMMIT without an answer: what the log says of it."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + LOOK_UP_SECONDS
        while loop.time() < give_up:
            try:
                async with asyncio.timeout_at(give_up):
                    if await transaction.is_committed():
                        return transaction.outcomes
                return [(draft, unsaved()) for draft in batch]
            except (CwrkError, TimeoutError):
                await asyncio.sleep(LOOK_UP_AGAIN_SECONDS)
        unknown = Unavailable(
            "The message may or may not be saved. Send it again with the same client_msg_id.",
            code="OUTCOME_UNKNOWN",
            retry_after=1.0,
        )
        return [(draft, unknown) for draft in batch]


class Append:
    """One batch's transaction. `committing`: from here on a failure says nothing about the outcome."""

    def __init__(self, database: Database, room_id: UUID, batch: list[Draft]) -> None:
        self._database = database
        self._room_id = room_id
        self._batch = batch
        self.committing = False
        self.outcomes: list[Outcome] = []

    async def run(self) -> Sequence[Outcome]:
        async with self._database.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                head = await self._lock_head(connection)
                self.outcomes = await self._insert(connection, head)
            except BaseException:
                if not connection.is_closed():
                    await transaction.rollback()
                raise
            self.committing = True
            await transaction.commit()
            self.committing = False
        return self.outcomes

    async def is_committed(self) -> bool:
        """Waits for the head row first: a COMMIT that is still on its way holds it."""
        new = [o.event.event_id for o in self.outcomes if isinstance(o, Saved) and not o.duplicate]
        async with self._database.transaction() as connection:
            await self._lock_head(connection)
            found = await connection.fetchval(
                "SELECT count(*) FROM rooms.events WHERE id = ANY($1::uuid[])", new
            )
        return bool(found == len(new))

    async def _lock_head(self, connection: Connection) -> int:
        head = await connection.fetchval(
            "SELECT last_seq FROM rooms.heads WHERE room_id = $1 FOR UPDATE", self._room_id
        )
        if head is None:
            raise NotFound("This room is gone.", code="ROOM_NOT_FOUND")
        return int(head)

    async def _insert(self, connection: Connection, head: int) -> list[Outcome]:
        known = await self._known(connection)
        answered = await self._answered(connection)
        new: dict[object, Draft] = {}
        for draft in self._batch:
            key = _key(draft)
            if (
                key not in known
                and key not in new
                and (draft.act.reply_to is None or draft.act.reply_to in answered)
            ):
                new[key] = draft
        fresh = await self._append(connection, head, list(new.values())) if new else []
        said = {**known, **dict(zip(new, fresh, strict=True))}
        outcomes: list[Outcome] = []
        for draft in self._batch:
            key = _key(draft)
            if key not in said:
                gone = NotFound("The message this answers is not in the room.", code="REPLY_TO_UNKNOWN")
                outcomes.append((draft, gone))
            else:
                outcomes.append(Saved(draft, said[key], duplicate=new.get(key) is not draft))
        return outcomes

    async def _known(self, connection: Connection) -> dict[object, Event]:
        named = [draft for draft in self._batch if draft.act.client_msg_id is not None]
        if not named:
            return {}
        rows = await connection.fetch(
            f"{EVENTS} WHERE e.room_id = $1 AND (e.user_id, e.client_msg_id) IN"  # noqa: S608  # our own text
            " (SELECT * FROM unnest($2::bigint[], $3::text[]))",
            self._room_id,
            [draft.user_id for draft in named],
            [draft.act.client_msg_id for draft in named],
        )
        return {(row["user_id"], row["client_msg_id"]): event_of(row) for row in rows}

    async def _answered(self, connection: Connection) -> set[UUID]:
        wanted = [draft.act.reply_to for draft in self._batch if draft.act.reply_to is not None]
        if not wanted:
            return set()
        rows = await connection.fetch(
            "SELECT id FROM rooms.events WHERE room_id = $1 AND id = ANY($2::uuid[])", self._room_id, wanted
        )
        return {row["id"] for row in rows}

    async def _append(self, connection: Connection, head: int, drafts: list[Draft]) -> list[Event]:
        rows = await connection.fetch(
            "WITH said AS ("
            " INSERT INTO rooms.events (room_id, seq, user_id, client_msg_id, text, reply_to)"
            " SELECT $1, $2 + d.place, d.user_id, d.client_msg_id, d.text, d.reply_to"
            " FROM unnest($3::bigint[], $4::text[], $5::text[], $6::uuid[]) WITH ORDINALITY"
            "   AS d (user_id, client_msg_id, text, reply_to, place)"
            " RETURNING *), head AS ("
            " UPDATE rooms.heads SET last_seq = $2 + $7 WHERE room_id = $1)"
            " SELECT m.*, p.display_name FROM said m JOIN rooms.people p USING (user_id) ORDER BY m.seq",
            self._room_id,
            head,
            [draft.user_id for draft in drafts],
            [draft.act.client_msg_id for draft in drafts],
            [draft.act.message for draft in drafts],
            [draft.act.reply_to for draft in drafts],
            len(drafts),
        )
        return [event_of(row) for row in rows]


def _take(queue: deque[Draft]) -> list[Draft]:
    """The next batch: at least one draft."""
    batch = [queue.popleft()]
    length = len(batch[0].act.message)
    while queue and len(batch) < LARGEST_BATCH and length + len(queue[0].act.message) <= LONGEST_BATCH:
        length += len(queue[0].act.message)
        batch.append(queue.popleft())
    return batch


def unsaved() -> Unavailable:
    return Unavailable(
        "The message could not be saved. Try again in a moment.", code="NOT_SAVED", retry_after=1.0
    )


def _key(draft: Draft) -> object:
    """What makes a draft the same as another: nothing, where the client gave it no id."""
    return id(draft) if draft.act.client_msg_id is None else (draft.user_id, draft.act.client_msg_id)
