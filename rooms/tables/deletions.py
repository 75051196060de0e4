"""Deleted accounts: their people lose name, memberships and rooms, also when this was down meanwhile.

Each deletion is dealt with in the order in which auth tells them, and the last
one is kept in the tables; so a replica that starts, or that lost PostgreSQL in
between, goes on where the last one was. Doing one twice changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from uuid import UUID

import asyncpg

from common import log, revocations, rpc
from common.database import Database
from common.errors import CwrkError, NotFound
from rooms.core.events import Event
from rooms.core.rights import OWNER
from rooms.tables.ownership import changed_event, hand_over, heir
from rooms.tables.room_rows import bump, lock_log, lock_room

# What stands where the name stood.
DELETED = "deleted"
RETRY_SECONDS = 2.0

logger = log.get("rooms.deletions")


class Deletions:
    """`gone` is told of each room and person that had to do with each other, and of the events of it."""

    def __init__(
        self, database: Database, auth: rpc.Client, gone: Callable[[str, int, list[Event]], None]
    ) -> None:
        self._database = database
        self._auth = auth
        self._gone = gone

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                stream = revocations.watch(self._auth, await self._seen(), deletions_only=True)
                async with contextlib.aclosing(stream):
                    async for ended in stream:
                        if ended is not None:
                            await self.forget(ended.user_id, ended.id)
            except (CwrkError, asyncpg.PostgresError) as error:
                logger.debug("deletions not heard", reason=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)

    async def forget(self, user_id: int, deletion_id: int) -> None:
        """Take name and memberships from somebody whose account is gone."""
        async with self._database.transaction() as connection:
            # Also who was never here: a token that is still good elsewhere may not bring them back.
            await connection.execute(
                "INSERT INTO rooms.people AS p (user_id, display_name, deleted_at) VALUES ($1, $2, now())"
                " ON CONFLICT (user_id) DO UPDATE SET display_name = excluded.display_name,"
                "  deleted_at = coalesce(p.deleted_at, excluded.deleted_at)",
                user_id,
                DELETED,
            )
        # In transactions of their own: joining locks the room before the person. Nobody joins as them now.
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT room_id FROM rooms.members WHERE user_id = $1 ORDER BY room_id", user_id
            )
        for row in rows:
            await self._forget_in(row["room_id"], user_id)
        async with self._database.transaction() as connection:
            for table in ("bans", "parted", "tickets"):
                await connection.execute(f"DELETE FROM rooms.{table} WHERE user_id = $1", user_id)  # noqa: S608
            await connection.execute(
                "UPDATE rooms.deployment SET deletions_seen = greatest(deletions_seen, $1)", deletion_id
            )
        logger.info("forgot a deleted account", user_id=user_id, rooms=len(rows))

    async def _forget_in(self, room_id: UUID, user_id: int) -> None:
        """End the membership; a room of theirs gets another owner."""
        events: list[Event] = []
        with contextlib.suppress(NotFound):  # deleted meanwhile
            async with self._database.transaction() as connection:
                room = await lock_room(connection, room_id, user_id)
                await lock_log(connection, room_id)
                await connection.execute(
                    "DELETE FROM rooms.members WHERE room_id = $1 AND user_id = $2", room_id, user_id
                )
                await bump(connection, [room_id])
                new_owner = await heir(connection, room_id) if room.role == OWNER else None
                if new_owner is not None:
                    events = await hand_over(connection, room_id, user_id, new_owner)
                    events.append(await changed_event(connection, room_id, user_id))
        self._gone(str(room_id), user_id, events)

    async def _seen(self) -> int:
        async with self._database.connection() as connection:
            return int(await connection.fetchval("SELECT deletions_seen FROM rooms.deployment") or 0)
