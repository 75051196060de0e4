"""Bans in PostgreSQL: who may not come in, and until when."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from common.database import Connection
from common.errors import Forbidden
from rooms.tables.records import BanRecord

IN_FORCE = "(b.until IS NULL OR b.until > clock_timestamp())"


async def check_not_banned(connection: Connection, room_id: UUID, user_id: int) -> None:
    """Raises Forbidden (BANNED), and says until when."""
    row = await connection.fetchrow(
        f"SELECT until FROM rooms.bans b WHERE room_id = $1 AND user_id = $2 AND {IN_FORCE}",  # noqa: S608
        room_id,
        user_id,
    )
    if row is not None:
        raise banned(row["until"])


def banned(until: datetime | None) -> Forbidden:
    """What who is banned is told."""
    when = f" until {until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if until else ""
    return Forbidden(f"You are banned from this room{when}.", code="BANNED")


async def ban(
    connection: Connection, room_id: UUID, user_id: int, by_id: int, seconds: int | None
) -> datetime | None:
    """From now on, in place of a ban that there is; until when."""
    until: datetime | None = await connection.fetchval(
        "INSERT INTO rooms.bans (room_id, user_id, by_id, until)"
        " VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))"
        " ON CONFLICT (room_id, user_id) DO UPDATE SET by_id = excluded.by_id,"
        "  created_at = excluded.created_at, until = excluded.until RETURNING until",
        room_id,
        user_id,
        by_id,
        None if seconds is None else float(seconds),
    )
    return until


async def unban(connection: Connection, room_id: UUID, user_id: int) -> bool:
    """Whether there was one in force."""
    return bool(
        await connection.fetchval(
            f"DELETE FROM rooms.bans b WHERE room_id = $1 AND user_id = $2 RETURNING {IN_FORCE}",  # noqa: S608
            room_id,
            user_id,
        )
    )


async def bans_of(connection: Connection, room_id: UUID) -> list[BanRecord]:
    """Those in force, newest first."""
    rows = await connection.fetch(
        "SELECT b.user_id, p.display_name, b.by_id, b.created_at, b.until"  # noqa: S608  # our own text
        " FROM rooms.bans b JOIN rooms.people p USING (user_id)"
        f" WHERE b.room_id = $1 AND {IN_FORCE} ORDER BY b.created_at DESC, b.user_id",
        room_id,
    )
    return [BanRecord(**row) for row in rows]
