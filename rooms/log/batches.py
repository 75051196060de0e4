"""A batch of drafts on its way into a room's log: one statement that reads, one that writes and commits.

The first reads, in one snapshot, the head of the log and all that the decisions rest
on. Whatever could change them writes into the log too. So the second moves the head
from where it was read, and writes only if that succeeds: the order of commits is the
order of seq, without holes, and nothing was decided upon what had changed meanwhile.
Where another replica was quicker, it is done again with the head locked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from common.database import Connection, Database
from common.errors import CwrkError, Unavailable
from rooms.core.decisions import Author, Decisions, Entry, Message, Tables, Written
from rooms.core.effects import Draft, Outcome, Saved
from rooms.core.events import Event, Said
from rooms.frames.incoming import Chat
from rooms.frames.outgoing import Ack, ChatAck
from rooms.log.event_rows import columns_of
from rooms.tables.room_rows import gone

# Rows of several tables in one answer: arrays of them. $2: whose; $3, $4: (person, client_msg_id); $5: the
# messages that drafts are about; $6: how many ids to make. LATERAL … LIMIT 1 is a look into an index for
# each, however the planner reckons: a plan is kept from when the tables were small.
READ = """
SELECT h.last_seq, h.fence, r.slow_mode_s, clock_timestamp() AS now,
  (SELECT epoch FROM rooms.deployment) AS epoch,
  ARRAY(SELECT uuidv7() FROM generate_series(1, $6::integer)) AS fresh_ids,
  ARRAY(SELECT ROW(m.user_id, p.display_name, m.role, m.said_at)
    FROM rooms.members m JOIN rooms.people p USING (user_id)
    WHERE m.room_id = $1 AND m.user_id = ANY($2::bigint[])) AS authors,
  ARRAY(SELECT ROW(e.user_id, e.client_msg_id, e.id, e.seq, e.kind = 'chat', e.created_at)
    FROM unnest($3::bigint[], $4::text[]) AS d (user_id, client_msg_id),
    LATERAL (SELECT * FROM rooms.events e WHERE e.room_id = $1 AND e.user_id = d.user_id
      AND e.client_msg_id = d.client_msg_id LIMIT 1) e) AS known,
  ARRAY(SELECT ROW(e.id, e.seq, e.user_id, e.text, e.deleted_at IS NOT NULL, greatest(e.seq,
      (SELECT max(c.seq) FROM rooms.events c
        WHERE c.about = e.id AND c.kind IN ('chat_edited', 'chat_deleted'))), e.created_at)
    FROM unnest($5::uuid[]) AS d (id),
    LATERAL (SELECT * FROM rooms.events e WHERE e.id = d.id LIMIT 1) e
    WHERE e.room_id = $1 AND e.kind = 'chat') AS messages,
  ARRAY(SELECT ROW(x.msg_id, x.emoji, count(*), array_agg(x.user_id), array_agg(x.seq))
    FROM rooms.reactions x WHERE x.msg_id = ANY($5::uuid[]) GROUP BY x.msg_id, x.emoji) AS reactions
FROM rooms.heads h JOIN rooms.rooms r ON r.id = h.room_id WHERE h.room_id = $1
"""

# $2, $12: the head as it was read. Nothing below `head` happens unless it still is.
WRITE = """
WITH head AS (
  UPDATE rooms.heads SET last_seq = $2::bigint + $3::integer
  WHERE room_id = $1 AND last_seq = $2::bigint AND fence = $12 RETURNING last_seq),
new AS (
  INSERT INTO rooms.events (id, room_id, seq, user_id, kind, client_msg_id, text, reply_to, about, body)
  SELECT d.id, $1, $2::bigint + d.place, d.user_id, d.kind, d.client_msg_id, d.text, d.reply_to, d.about,
    d.body
  FROM head, unnest($4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::uuid[], $10::uuid[],
    $11::jsonb[]) WITH ORDINALITY AS d (id, user_id, kind, client_msg_id, text, reply_to, about, body, place)
  RETURNING seq, created_at)
"""
EDITS = """,
edited AS (
  UPDATE rooms.events e SET text = d.text, edited_at = clock_timestamp()
  FROM head, unnest($13::uuid[], $14::text[]) AS d (id, text) WHERE e.id = d.id),
deleted AS (
  UPDATE rooms.events e SET text = '', deleted_at = clock_timestamp()
  FROM head WHERE e.id = ANY($15::uuid[])),
untouched AS (DELETE FROM rooms.reactions x USING head WHERE x.msg_id = ANY($15::uuid[])),
taken AS (
  DELETE FROM rooms.reactions x
  USING head, unnest($16::uuid[], $17::bigint[], $18::text[]) AS d (msg_id, user_id, emoji)
  WHERE (x.msg_id, x.user_id, x.emoji) = (d.msg_id, d.user_id, d.emoji)),
put AS (
  INSERT INTO rooms.reactions (msg_id, user_id, emoji, seq)
  SELECT d.* FROM head, unnest($19::uuid[], $20::bigint[], $21::text[], $22::bigint[])
    AS d (msg_id, user_id, emoji, seq)
  ON CONFLICT (msg_id, user_id, emoji) DO UPDATE SET seq = excluded.seq)
"""
SPOKE = """,
spoke AS (
  UPDATE rooms.members m SET said_at = clock_timestamp() FROM head
  WHERE m.room_id = $1 AND m.user_id = ANY($SPOKE::bigint[]))
"""
WRITTEN = " SELECT seq, created_at FROM new"


OTHER_HISTORY = "EPOCH_CHANGED"  # a code


class Batch:
    """`run` once; where it fails with `committing` set, what became of it is looked up with `find`."""

    def __init__(self, database: Database, room_id: UUID, epoch: str, drafts: Sequence[Draft]) -> None:
        self._database = database
        self._room_id = room_id
        self._epoch = epoch
        self._drafts = drafts
        self._decisions: Decisions | None = None
        self._names: dict[int, str] = {}
        self._fence = 0
        self.committing = False  # from here on a failure says nothing about the outcome

    async def run(self, connection: Connection) -> list[Outcome]:
        """Decide and write. Raises what the database raises, NotFound for a room that is gone, and
        Unavailable where the tables are of another history than the drafts.
        """
        try:
            outcomes = await self._try(connection)
            if outcomes is None:
                async with connection.transaction():
                    await self._lock(connection)
                    outcomes = await self._try(connection)
        except asyncpg.IntegrityConstraintViolationError:
            self.committing = False
            raise
        if outcomes is None:
            raise AssertionError("the head moved under its lock")
        # `committing` stays: what is saved is saved, even where giving the connection back fails.
        return outcomes

    async def find(self) -> list[Outcome] | None:
        """After a failure while committing: the outcomes, if it is in the log. Raises Unavailable.

        If not, it will never be: a commit on its way holds the head's row, so this waits for it, and a
        statement that has not arrived yet finds the fence moved.
        """
        entries = self._decisions.entries if self._decisions else []
        async with self._database.transaction() as connection:
            await self._lock(connection)
            rows = await connection.fetch(
                "SELECT seq, created_at FROM rooms.events WHERE id = ANY($1::uuid[])",
                [entry.event_id for entry in entries],
            )
            if len(rows) == len(entries):
                return self._outcomes(rows)
            await connection.execute(
                "UPDATE rooms.heads SET fence = fence + 1 WHERE room_id = $1", self._room_id
            )
        return None

    async def _lock(self, connection: Connection) -> None:
        await connection.execute(
            "SELECT FROM rooms.heads WHERE room_id = $1 FOR NO KEY UPDATE", self._room_id
        )

    async def _try(self, connection: Connection) -> list[Outcome] | None:
        """None where the head is not any more where it was read."""
        decisions = self._decisions = Decisions(await self._read(connection), self._drafts)
        if not decisions.entries:
            return self._outcomes([])
        self.committing = True
        rows = await self._write(connection, decisions)
        return self._outcomes(rows) if rows else None

    async def _read(self, connection: Connection) -> Tables:
        named = [draft for draft in self._drafts if draft.act.client_msg_id is not None]
        row = await connection.fetchrow(
            READ,
            self._room_id,
            list({draft.user_id for draft in self._drafts}),
            [draft.user_id for draft in named],
            [draft.act.client_msg_id for draft in named],
            list({about for draft in self._drafts if (about := _about(draft)) is not None}),
            len(self._drafts),
        )
        if row is None:
            raise gone()
        if str(row["epoch"]) != self._epoch:
            raise Unavailable("The room begins anew.", code=OTHER_HISTORY, retry_after=1.0)
        self._fence = row["fence"]
        self._names = {user_id: name for user_id, name, _, _ in row["authors"]}
        reactions = row["reactions"]
        return Tables(
            head=row["last_seq"],
            now=row["now"],
            slow_mode_s=row["slow_mode_s"],
            fresh_ids=row["fresh_ids"],
            authors={user_id: Author(role, said_at) for user_id, _, role, said_at in row["authors"]},
            known={(user_id, name): Written(*written) for user_id, name, *written in row["known"]},
            messages={msg_id: Message(*message) for msg_id, *message in row["messages"]},
            emojis=_counts(reactions),
            put={
                (msg_id, user_id, emoji): seq
                for msg_id, emoji, _, user_ids, seqs in reactions
                for user_id, seq in zip(user_ids, seqs, strict=True)
            },
        )

    async def _write(self, connection: Connection, decided: Decisions) -> list[asyncpg.Record]:
        columns = [columns_of(entry.body) for entry in decided.entries]
        said = [entry.body if isinstance(entry.body, Said) else None for entry in decided.entries]
        values: list[Any] = [
            self._room_id,
            decided.tables.head,
            len(decided.entries),
            [entry.event_id for entry in decided.entries],
            [entry.draft.user_id for entry in decided.entries],
            [kind for kind, _, _ in columns],
            [entry.draft.act.client_msg_id for entry in decided.entries],
            [body.text if body else "" for body in said],
            [body.reply_to if body else None for body in said],
            [about for _, about, _ in columns],
            [json.dumps(more) if more else None for _, _, more in columns],
            self._fence,
        ]
        statement = WRITE
        if not all(said):
            statement += EDITS
            values += [list(decided.texts), list(decided.texts.values()), list(decided.deleted)]
            values += _columns(list(decided.taken), 3)
            values += _columns([(*put, seq) for put, seq in decided.put.items()], 4)
        if decided.spoke:
            statement += SPOKE.replace("$SPOKE", f"${len(values) + 1}")
            values.append(list(decided.spoke))
        return await connection.fetch(statement + WRITTEN, *values)

    def _outcomes(self, rows: Sequence[asyncpg.Record]) -> list[Outcome]:
        if self._decisions is None:
            return []
        times = {row["seq"]: row["created_at"] for row in rows}
        outcomes: list[Outcome] = []
        for draft, verdict in self._decisions.verdicts:
            if isinstance(verdict, CwrkError):
                outcomes.append((draft, verdict))
            elif isinstance(verdict, Written):
                outcomes.append(Saved(draft, _ack(draft, verdict, duplicate=True)))
            else:
                outcomes.append(self._saved(draft, verdict, times[verdict.seq]))
        return outcomes

    def _saved(self, draft: Draft, entry: Entry, created_at: datetime) -> Saved:
        written = Written(entry.event_id, entry.seq, isinstance(entry.body, Said), created_at)
        if entry.draft is not draft:  # the same again, within the batch
            return Saved(draft, _ack(draft, written, duplicate=True))
        event = Event(
            seq=entry.seq,
            event_id=entry.event_id,
            user_id=draft.user_id,
            display_name=self._names[draft.user_id],
            created_at=created_at,
            body=entry.body,
            client_msg_id=draft.act.client_msg_id,
        )
        return Saved(draft, _ack(draft, written, duplicate=False), event)


def _ack(draft: Draft, written: Written, *, duplicate: bool) -> ChatAck | Ack:
    client_msg_id = draft.act.client_msg_id
    if not written.is_message:
        return Ack(written.seq, client_msg_id, duplicate)
    at = int(written.created_at.timestamp())
    return ChatAck(str(written.event_id), client_msg_id, written.seq, at, duplicate)


def _about(draft: Draft) -> UUID | None:
    """The message that has to be there for it."""
    return draft.act.reply_to if isinstance(draft.act, Chat) else draft.act.msg_id


def _counts(reactions: Sequence[Any]) -> dict[UUID, dict[str, int]]:
    counts: dict[UUID, dict[str, int]] = {}
    for msg_id, emoji, count, *_ in reactions:
        counts.setdefault(msg_id, {})[emoji] = count
    return counts


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows as the arrays that unnest takes."""
    return [[row[place] for row in rows] for place in range(width)]
