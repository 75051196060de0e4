"""Which media worker has a room, in PostgreSQL: where replicas cannot both have their way."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from common.database import Database


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a room was placed, and how many times it has been."""

    worker: str
    generation: int


class Placements:
    """Both methods raise Unavailable when the database is lost."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, room_id: str) -> Placed | None:
        """Where the room is."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT worker, generation FROM rooms.placements WHERE room_id = $1", UUID(room_id)
            )
        return _placed(row)

    async def move(self, room_id: str, seen: int, worker: str) -> Placed | None:
        """Place the room, unless somebody has done so after generation `seen` (0: never placed): then None.

        A generation is a Unix second at least: a restored backup, too, gives ones that are new.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "INSERT INTO rooms.placements AS p (room_id, worker, generation)"
                " SELECT id, $3, greatest($2 + 1, extract(epoch FROM clock_timestamp())::bigint)"
                " FROM rooms.rooms WHERE id = $1"
                " ON CONFLICT (room_id) DO UPDATE SET worker = $3, generation = excluded.generation"
                " WHERE p.generation = $2 RETURNING worker, generation",
                UUID(room_id),
                seen,
                worker,
            )
        return _placed(row)


def _placed(row: asyncpg.Record | None) -> Placed | None:
    return Placed(row["worker"], row["generation"]) if row else None
