"""Old messages are forgotten, if the operator wants it: from the beginning of each room's log, in batches.

What is left of a log stays whole, since always the oldest go; and its end stays
where it is (`heads.last_seq`), so no number is ever given out twice. Who comes
back from before the new beginning is told so (`recovered: false`). With a
message goes the memory of its client_msg_id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from common import log
from common.database import Connection, Database
from common.errors import CwrkError

FIRST_SECONDS = 60.0  # a service that starts has better things to do
EVERY_SECONDS = 3600.0
# A batch holds its locks for some milliseconds; between two of them others have the disk.
BATCH = 500
PAUSE_SECONDS = 0.05
ROOMS_AT_ONCE = 200

# One replica forgets at a time.
LOCK = 0x726F_6F6D_7366_6F72  # any number that nobody else uses
NIL = UUID(int=0)

logger = log.get("rooms.retention")


class Retention:
    """Forgets what is older than `keep`. `forgot` hears of each room that lost something."""

    def __init__(
        self, database: Database, keep: timedelta, forgot: Callable[[str], None] = lambda room_id: None
    ) -> None:
        self._database = database
        self._keep = keep
        self._forgot = forgot

    async def run(self) -> None:
        """Sweep a minute after the start, and every hour."""
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            try:
                if forgotten := await self.sweep():
                    logger.info("forgot old messages", messages=forgotten)
            except CwrkError as error:
                logger.warning("not forgotten; again in an hour", reason=error.code)
            await asyncio.sleep(EVERY_SECONDS)

    async def sweep(self) -> int:
        """Forget all that is old by now; how many messages it was. Raises Unavailable."""
        forgotten = 0
        last = NIL
        while True:
            async with self._database.connection() as connection:
                rows = await connection.fetch(
                    "SELECT room_id FROM rooms.heads WHERE room_id > $1 ORDER BY room_id LIMIT $2",
                    last,
                    ROOMS_AT_ONCE,
                )
            for row in rows:
                if here := await self._forget(row["room_id"]):
                    self._forgot(str(row["room_id"]))
                forgotten += here
            if len(rows) < ROOMS_AT_ONCE:
                return forgotten
            last = rows[-1]["room_id"]

    async def _forget(self, room_id: UUID) -> int:
        forgotten = 0
        while True:
            async with self._database.transaction() as connection:
                if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
                    return forgotten
                batch = await _batch(connection, room_id, self._keep)
            forgotten += batch
            if batch < BATCH:
                return forgotten
            await asyncio.sleep(PAUSE_SECONDS)


async def _batch(connection: Connection, room_id: UUID, keep: timedelta) -> int:
    """Delete the oldest messages up to the first young one. What nobody can read any more counts as read."""
    rows = await connection.fetch(
        "WITH oldest AS ("
        "  SELECT seq, created_at FROM rooms.events WHERE room_id = $1 ORDER BY seq LIMIT $3),"
        " upto AS (SELECT coalesce("
        "  (SELECT min(seq) - 1 FROM oldest WHERE created_at >= clock_timestamp() - $2::interval),"
        "  (SELECT max(seq) FROM oldest)) AS seq)"
        " DELETE FROM rooms.events m USING upto u WHERE m.room_id = $1 AND m.seq <= u.seq RETURNING m.seq",
        room_id,
        keep,
        BATCH,
    )
    if rows:
        await connection.execute(
            "UPDATE rooms.members SET read_seq = $2 WHERE room_id = $1 AND read_seq < $2",
            room_id,
            max(row["seq"] for row in rows),
        )
    return len(rows)
