"""Seats: leases, counted against the room's max under the lock on its row."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from common.database import Connection
from common.errors import Conflict
from rooms.tables.records import SeatRecord
from rooms.tables.room_rows import gone

JOIN_SECONDS = 60  # a seat taken by joining waits this long for a websocket
SEAT_SECONDS = 30  # and is kept this long after the last one


async def take_seat(
    connection: Connection, room_id: UUID, user_id: int, max_participants: int, seconds: int
) -> asyncpg.Record:
    """With the room's row locked. An own seat that still runs is kept, at least for `seconds` from now.

    Raises Conflict (ROOM_FULL).
    """
    held = await connection.fetchrow(
        "SELECT count(*) FILTER (WHERE user_id <> $2) AS by_others,"
        " count(*) FILTER (WHERE user_id = $2) AS own"
        " FROM rooms.seats WHERE room_id = $1 AND expires_at > clock_timestamp()",
        room_id,
        user_id,
    )
    if held is None or not held["own"]:
        # After `max` was lowered there may be more seats than it allows: they stay.
        if held is None or held["by_others"] >= max_participants:
            raise room_full()
        await _lower_hand(connection, room_id, user_id)
    row = await connection.fetchrow(
        "INSERT INTO rooms.seats AS s (room_id, user_id, taken_at, seen_at, expires_at)"
        " VALUES ($1, $2, clock_timestamp(), clock_timestamp(),"
        "  clock_timestamp() + make_interval(secs => $3))"
        " ON CONFLICT (room_id, user_id) DO UPDATE SET"
        "  taken_at = CASE WHEN s.expires_at > clock_timestamp() THEN s.taken_at ELSE clock_timestamp() END,"
        "  seen_at = clock_timestamp(), expires_at = greatest(s.expires_at, excluded.expires_at)"
        " RETURNING taken_at, seen_at",
        room_id,
        user_id,
        float(seconds),
    )
    if row is None:
        raise gone()
    return row


async def _lower_hand(connection: Connection, room_id: UUID, user_id: int) -> None:
    """A hand is of the one who sits there: who was gone so long does not find it up."""
    await connection.execute(
        "UPDATE rooms.members SET hand_raised_at = NULL"
        " WHERE room_id = $1 AND user_id = $2 AND hand_raised_at IS NOT NULL",
        room_id,
        user_id,
    )


def room_full() -> Conflict:
    """What who finds no seat is told."""
    return Conflict("The room is full.", code="ROOM_FULL")


async def seats_taken(connection: Connection, room_id: UUID) -> list[SeatRecord]:
    """Who has a seat, longest first."""
    rows = await connection.fetch(
        "SELECT s.user_id, p.display_name, m.role, coalesce(m.muted_by, '') AS muted_by,"
        " m.hand_raised_at, s.taken_at, s.seen_at, EXISTS (SELECT FROM rooms.presence c"
        "   WHERE c.room_id = s.room_id AND c.user_id = s.user_id AND c.expires_at > clock_timestamp())"
        "   AS online"
        " FROM rooms.seats s JOIN rooms.members m USING (room_id, user_id)"
        " JOIN rooms.people p USING (user_id)"
        " WHERE s.room_id = $1 AND s.expires_at > clock_timestamp() ORDER BY s.taken_at, s.user_id",
        room_id,
    )
    return [SeatRecord(**row) for row in rows]
