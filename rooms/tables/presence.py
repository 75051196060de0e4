"""Who is connected, across replicas: leases in PostgreSQL, kept by whoever holds the websocket.

A replica that dies is forgotten after LEASE_SECONDS. Every change counts the
room's roster_version up, so the others know that there is something to load.
Locks are taken in one order: the room, then its rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from common.database import Database
from rooms.core.participant import Member
from rooms.tables.members import MEMBER
from rooms.tables.room_rows import bump, gone
from rooms.tables.seats import SEAT_SECONDS

MEMBER_FIELDS = tuple(field.name for field in dataclasses.fields(Member))

EPOCH = "(SELECT epoch FROM rooms.deployment) AS epoch"

LEASE_SECONDS = 15
RENEW_SECONDS = 5.0
MOST_VACATED = 500  # at once; the others the next time


@dataclass(frozen=True, slots=True)
class Here:
    """Somebody with a connection to this replica."""

    room_id: str
    user_id: int
    visit: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a room stands in the tables. `epoch`: of which history."""

    room_id: str
    last_seq: int
    roster_version: int
    epoch: str


class Presence:
    """The leases of one replica. All methods raise Unavailable when the database is lost."""

    def __init__(self, database: Database, replica: UUID) -> None:
        self.database = database
        self.replica = replica
        self._untold: set[UUID] = set()  # rooms whose version does not count a lease that was taken again

    async def renew(self, here: Iterable[Here]) -> list[str]:
        """Everybody who is connected, all leases in one go. One that has lapsed is taken again.

        In which rooms that was: the others may have seen them go.
        """
        everybody = sorted(here, key=lambda h: (h.room_id, h.user_id))
        if not everybody:
            return []
        keys = (
            [UUID(h.room_id) for h in everybody],
            [h.user_id for h in everybody],
            [h.visit for h in everybody],
        )
        members = (
            " FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS h (room_id, user_id, visit)"
            " JOIN rooms.members USING (room_id, user_id, visit)"
            " ORDER BY room_id, user_id"  # as those who come lock them: rooms/tables/arrivals.py
        )
        async with self.database.transaction() as connection:
            # Seats first, as they go first when a membership ends: so neither waits for the other in a ring.
            # A seat that lapsed while the database was away is theirs still: they never left.
            await connection.execute(
                "INSERT INTO rooms.seats AS s (room_id, user_id, expires_at)"
                f" SELECT room_id, user_id, clock_timestamp() + make_interval(secs => $4) {members}"
                " ON CONFLICT (room_id, user_id) DO UPDATE SET seen_at = clock_timestamp(),"
                "  expires_at = greatest(s.expires_at, excluded.expires_at)",
                *keys,
                float(SEAT_SECONDS),
            )
            taken = await connection.fetch(
                "INSERT INTO rooms.presence AS p (room_id, user_id, replica, expires_at)"
                f" SELECT room_id, user_id, $4, clock_timestamp() + make_interval(secs => $5) {members}"
                " ON CONFLICT (room_id, user_id, replica) DO UPDATE SET expires_at = excluded.expires_at"
                " RETURNING p.room_id, coalesce(old.expires_at <= clock_timestamp(), true) AS again",
                *keys,
                self.replica,
                float(LEASE_SECONDS),
            )
            # Noted before the commit, whose answer may be lost.
            self._untold |= {row["room_id"] for row in taken if row["again"]}
        return await self._count_up()

    async def _count_up(self) -> list[str]:
        """In a transaction of its own, since rooms are locked before their rows. Later if it fails."""
        rooms = sorted(self._untold)
        if rooms:
            async with self.database.transaction() as connection:
                await bump(connection, rooms)
            self._untold.difference_update(rooms)
        return [str(room_id) for room_id in rooms]

    async def sweep(self) -> None:
        """Forget the leases that nobody kept: a replica died."""
        async with self.database.transaction() as connection:
            rows = await connection.fetch(
                "SELECT DISTINCT room_id FROM rooms.presence WHERE expires_at < clock_timestamp()"
            )
            if rows:
                rooms = [row["room_id"] for row in rows]
                await bump(connection, rooms)
                await connection.execute(
                    "DELETE FROM rooms.presence"
                    " WHERE room_id = ANY($1::uuid[]) AND expires_at < clock_timestamp()",
                    rooms,
                )

    async def vacate(self) -> list[tuple[str, int]]:
        """Take the seats that ran out with nobody connected; whose they were, each told to one replica."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "DELETE FROM rooms.seats WHERE (room_id, user_id) IN"
                " (SELECT s.room_id, s.user_id FROM rooms.seats s WHERE s.expires_at < clock_timestamp()"
                "  AND NOT EXISTS (SELECT FROM rooms.presence p"
                "   WHERE p.room_id = s.room_id AND p.user_id = s.user_id)"
                "  LIMIT $1 FOR UPDATE SKIP LOCKED)"
                " RETURNING room_id, user_id",
                MOST_VACATED,
            )
        return [(str(row["room_id"]), row["user_id"]) for row in rows]

    async def retire(self, seconds: float) -> None:
        """This replica stops: its people have `seconds` to show up elsewhere."""
        async with self.database.connection() as connection:
            await connection.execute(
                "UPDATE rooms.presence SET expires_at = clock_timestamp() + make_interval(secs => $2)"
                " WHERE replica = $1",
                self.replica,
                seconds,
            )

    async def roster(self, room_id: str, local: Iterable[int]) -> tuple[Standing, list[Member]]:
        """Everybody present on another replica, and the members among `local`."""
        async with self.database.connection() as connection:
            # One statement: who is there and where the log stands are of one moment.
            rows = await connection.fetch(
                f"SELECT r.roster_version, h.last_seq, {EPOCH}, m.* FROM rooms.rooms r"  # noqa: S608  # our own text
                " JOIN rooms.heads h ON h.room_id = r.id"
                f" LEFT JOIN (SELECT m.room_id, {MEMBER}, c.user_id IS NOT NULL AS elsewhere"
                "  FROM rooms.members m JOIN rooms.heads h USING (room_id)"
                "  JOIN rooms.people p USING (user_id)"
                "  LEFT JOIN rooms.seats s USING (room_id, user_id)"
                "  LEFT JOIN (SELECT DISTINCT user_id FROM rooms.presence WHERE room_id = $1"
                "    AND replica <> $2 AND expires_at > clock_timestamp()) c USING (user_id)"
                "  WHERE m.room_id = $1 AND (c.user_id IS NOT NULL OR m.user_id = ANY($3::bigint[]))) m"
                " ON m.room_id = r.id WHERE r.id = $1 ORDER BY m.joined_at, m.user_id",
                UUID(room_id),
                self.replica,
                list(local),
            )
        if not rows:
            raise gone()
        return _standing(room_id, rows[0]), [_member(row) for row in rows if row["user_id"] is not None]

    async def standing(self, room_id: str) -> Standing:
        """Where this room stands now. Raises NotFound."""
        for standing in await self.standings([room_id]):
            return standing
        raise gone()

    async def standings(self, room_ids: Iterable[str]) -> list[Standing]:
        """Where these rooms stand now."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT r.id, h.last_seq, r.roster_version, {EPOCH} FROM rooms.rooms r"  # noqa: S608
                " JOIN rooms.heads h ON h.room_id = r.id WHERE r.id = ANY($1::uuid[])",
                [UUID(room_id) for room_id in room_ids],
            )
        return [_standing(str(row["id"]), row) for row in rows]


def _standing(room_id: str, row: asyncpg.Record) -> Standing:
    return Standing(room_id, row["last_seq"], row["roster_version"], str(row["epoch"]))


def _member(row: asyncpg.Record) -> Member:
    return Member(**{name: row[name] for name in MEMBER_FIELDS})
