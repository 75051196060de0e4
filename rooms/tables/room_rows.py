"""Rooms as rows of PostgreSQL, as somebody sees them; and the locks under which they change.

Locks are taken in one order: the room's row, its head (where the log is written), then the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from common.database import Connection
from common.errors import NotFound
from rooms.tables.records import RoomRecord

SEATS_TAKEN = (
    "(SELECT count(*) FROM rooms.seats s WHERE s.room_id = r.id AND s.expires_at > clock_timestamp())"
)
# Others' messages after the marker, counted by an index alone, and no further than anybody reads.
UNREAD = (
    "(SELECT count(*) FROM (SELECT FROM rooms.events e WHERE e.room_id = me.room_id"
    "  AND e.seq > me.read_seq AND e.kind = 'chat' AND e.deleted_at IS NULL AND e.user_id <> me.user_id"
    "  LIMIT 100))"
)
# $1 is the person who asks: a private room is there for its members alone.
ROOMS = (
    f"SELECT r.*, {SEATS_TAKEN} AS participants, {UNREAD} AS unread, coalesce(me.role, '') AS role"  # noqa: S608  # our own text
    " FROM rooms.rooms r LEFT JOIN rooms.members me ON me.room_id = r.id AND me.user_id = $1"
)


@dataclass(frozen=True, slots=True)
class Locked:
    """A room whose row is locked. `role`: of the person who asked, "" for no member."""

    max_participants: int
    locked: bool
    private: bool
    role: str


def gone() -> NotFound:
    """One answer for a room that is not there, and for one that the asker may not know of."""
    return NotFound("There is no such room.", code="ROOM_NOT_FOUND")


def room_of(row: asyncpg.Record) -> RoomRecord:
    """The room in a row of ROOMS."""
    return RoomRecord(
        id=row["id"],
        name=row["name"],
        topic=row["topic"],
        visibility=row["visibility"],
        max_participants=row["max_participants"],
        owner_id=row["owner_id"],
        created_at=row["created_at"],
        participants=row["participants"],
        unread=row["unread"],
        locked=row["locked"],
        slow_mode_s=row["slow_mode_s"],
        listen_only=row["listen_only"],
        role=row["role"],
    )


async def find_room(connection: Connection, room_id: UUID, user_id: int) -> RoomRecord:
    """The room as `user_id` sees it. Raises NotFound, also for somebody else's private room."""
    row = await connection.fetchrow(
        f"{ROOMS} WHERE r.id = $2 AND (r.visibility <> 'private' OR me.user_id IS NOT NULL)", user_id, room_id
    )
    if row is None:
        raise gone()
    return room_of(row)


async def lock_room(connection: Connection, room_id: UUID, user_id: int, *, invited: bool = False) -> Locked:
    """Lock the room's row: who is in it and how changes by one transaction at a time.

    Raises NotFound, also for somebody else's private room unless `invited`.
    """
    row = await connection.fetchrow(
        "SELECT max_participants, locked, visibility FROM rooms.rooms WHERE id = $1 FOR NO KEY UPDATE",
        room_id,
    )
    if row is None:
        raise gone()
    # Only now: the statement that waited for the lock still sees what was before it.
    role = await role_of(connection, room_id, user_id)
    private = row["visibility"] == "private"
    if private and not role and not invited:
        raise gone()
    return Locked(row["max_participants"], row["locked"], private, role)


async def lock_log(connection: Connection, room_id: UUID) -> int:
    """With the room's row locked: nothing is written into its log meanwhile. Where the log stands."""
    last_seq = await connection.fetchval(
        "SELECT last_seq FROM rooms.heads WHERE room_id = $1 FOR UPDATE", room_id
    )
    return int(last_seq or 0)


async def role_of(connection: Connection, room_id: UUID, user_id: int) -> str:
    """ "" for who is no member."""
    role = await connection.fetchval(
        "SELECT role FROM rooms.members WHERE room_id = $1 AND user_id = $2", room_id, user_id
    )
    return str(role or "")


async def bump(connection: Connection, room_ids: list[UUID]) -> dict[UUID, int]:
    """Who is in these rooms, or how, has changed: replicas load it again. The new versions."""
    rows = await connection.fetch(
        "UPDATE rooms.rooms r SET roster_version = roster_version + 1"
        " FROM (SELECT id FROM rooms.rooms WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE) locked"
        " WHERE r.id = locked.id RETURNING r.id, r.roster_version",
        room_ids,
    )
    return {row["id"]: row["roster_version"] for row in rows}
