"""The logs of deleted rooms, erased in batches: a room is gone at once, however much was said in it."""

from __future__ import annotations

import asyncio
import contextlib

import asyncpg

from common import log
from common.database import Database
from common.errors import CwrkError

EVERY_SECONDS = 60.0  # for what another replica has left undone
BATCH = 1000  # events; a batch holds its locks for some milliseconds

logger = log.get("rooms.erasure")


class Erasure:
    """Every replica may do it: each batch is one's alone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wanted = asyncio.Event()

    def wanted(self) -> None:
        """A room was deleted just now."""
        self._wanted.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                while await self._batch():
                    pass
            except (CwrkError, asyncpg.PostgresError) as error:
                logger.warning("not erased; again in a minute", reason=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._wanted.wait()
            self._wanted.clear()

    async def _batch(self) -> bool:
        """Whether there was something to erase."""
        async with self._database.transaction() as connection:
            room_id = await connection.fetchval(
                "SELECT room_id FROM rooms.deleted_rooms LIMIT 1 FOR UPDATE SKIP LOCKED"
            )
            if room_id is None:
                return False
            erased = await connection.fetch(
                "DELETE FROM rooms.events WHERE id IN"
                " (SELECT id FROM rooms.events WHERE room_id = $1 ORDER BY seq LIMIT $2) RETURNING 1",
                room_id,
                BATCH,
            )
            if len(erased) < BATCH:
                await connection.execute("DELETE FROM rooms.deleted_rooms WHERE room_id = $1", room_id)
        return True
