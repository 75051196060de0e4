"""The log's events as rows of PostgreSQL.

Lock order, for whoever writes into the log: the room's row first, then its head.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from common.database import Connection
from rooms.core.events import Body, Changed, Deleted, Edited, Event, Reacted, Ruled, Said, Timed
from rooms.frames.outgoing import RoomView, TimerView
from rooms.tables.room_rows import gone

# A message's text stands in its own row alone, so an edit takes it from there.
EVENTS = (
    "SELECT e.id, e.seq, e.kind, e.user_id, p.display_name, coalesce(said.text, e.text) AS text,"
    " e.created_at, e.client_msg_id, e.reply_to, e.edited_at, e.deleted_at, e.about, e.body"
    " FROM rooms.events e JOIN rooms.people p USING (user_id)"
    " LEFT JOIN rooms.events said ON e.kind = 'chat_edited' AND said.id = e.about"
)

T = TypeVar("T")


def event_of(row: asyncpg.Record) -> Event:
    """The event in a row of EVENTS."""
    return Event(
        seq=row["seq"],
        event_id=row["id"],
        user_id=row["user_id"],
        display_name=row["display_name"],
        created_at=row["created_at"],
        body=body_of(
            row["kind"],
            row["about"],
            json.loads(row["body"] or "{}"),
            text=row["text"],
            reply_to=row["reply_to"],
            edited_at=row["edited_at"],
            deleted=row["deleted_at"] is not None,
        ),
        client_msg_id=row["client_msg_id"],
    )


async def events_after(connection: Connection, room_id: UUID, seq: int, limit: int) -> list[Event]:
    """At most `limit` events after `seq`, ascending."""
    rows = await connection.fetch(
        f"{EVENTS} WHERE e.room_id = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3", room_id, seq, limit
    )
    return [event_of(row) for row in rows]


async def events_of(connection: Connection, room_id: UUID, msg_ids: Sequence[UUID]) -> list[Event]:
    """These messages and their edits, ascending: the events that a deleted text is gone from."""
    rows = await connection.fetch(
        f"{EVENTS} WHERE e.room_id = $1 AND (e.id = ANY($2::uuid[])"
        "  OR e.about = ANY($2::uuid[]) AND e.kind = 'chat_edited') ORDER BY e.seq",
        room_id,
        msg_ids,
    )
    return [event_of(row) for row in rows]


async def append_event(connection: Connection, room_id: UUID, by_user_id: int, body: Body) -> Event:
    """Write what `by_user_id` did into the log, in the transaction that does it.

    From here to the commit the log of the room waits: so last, and shortly before the
    commit. After it the hub is told (`announce`). Raises NotFound for a room that is gone.
    """
    kind, about, more = columns_of(body)
    row = await connection.fetchrow(
        "WITH head AS ("
        " UPDATE rooms.heads SET last_seq = last_seq + 1 WHERE room_id = $1 RETURNING last_seq),"
        " e AS (INSERT INTO rooms.events (room_id, seq, user_id, kind, about, body, text)"
        "  SELECT $1, head.last_seq, $2, $3, $4, $5, '' FROM head RETURNING *)"
        " SELECT e.id, e.seq, e.created_at, p.display_name FROM e JOIN rooms.people p USING (user_id)",
        room_id,
        by_user_id,
        kind,
        about,
        json.dumps(more) if more else None,
    )
    if row is None:
        raise gone()
    return Event(row["seq"], row["id"], by_user_id, row["display_name"], row["created_at"], body)


def columns_of(body: Body) -> tuple[str, UUID | None, dict[str, Any]]:
    """Its kind, the message it is about, and what else there is to say. A text is not among it."""
    match body:
        case Said():
            return "chat", None, {}
        case Edited(msg_id):
            return "chat_edited", msg_id, {}
        case Deleted(msg_id):
            return "chat_deleted", msg_id, {}
        case Reacted(msg_id, emoji, added):
            return "chat_reaction", msg_id, {"emoji": emoji, "added": added}
        case Ruled(user_id, action, role, until):
            ends = until.isoformat() if until else None
            return "moderated", None, {"user_id": user_id, "action": action, "role": role, "until": ends}
        case Changed(room):
            return "room_updated", None, dataclasses.asdict(room)
        case Timed(timer):
            return "timer", None, dataclasses.asdict(timer)


def body_of(
    kind: str,
    about: UUID | None,
    more: Mapping[str, Any],
    *,
    text: str = "",
    reply_to: UUID | None = None,
    edited_at: datetime | None = None,
    deleted: bool = False,
) -> Body:
    """The other way around. Raises ValueError, KeyError or TypeError for what is no body of ours."""
    if kind == "chat":
        return Said(text, reply_to, edited_at, deleted)
    if kind == "moderated":
        until = datetime.fromisoformat(more["until"]) if more["until"] else None
        return Ruled(more["user_id"], more["action"], more["role"], until)
    if kind == "room_updated":
        return Changed(_known(RoomView, more))
    if kind == "timer":
        return Timed(_known(TimerView, more))
    if about is not None:
        if kind == "chat_edited":
            return Edited(about, text)
        if kind == "chat_deleted":
            return Deleted(about)
        if kind == "chat_reaction":
            return Reacted(about, more["emoji"], more["added"])
    raise ValueError(f"an event of a kind that is not known: {kind}")


def _known(kind: type[T], values: Mapping[str, Any]) -> T:
    """Without what a newer version may have written beside it."""
    names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]  # a dataclass
    return kind(**{name: value for name, value in values.items() if name in names})
