"""What auth forgets by itself: sessions long ended, links and invites that hold no more, old attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from auth.attempts import Attempts
from auth.revocations import SHOWN_FOR
from common import log
from common.database import Database
from common.errors import CwrkError

FIRST_SECONDS = 60.0  # a service that starts has better things to do
EVERY_SECONDS = 3600.0
# A statement's worth: nobody waits long for its locks.
BATCH = 1000

logger = log.get("auth.retention")


class Retention:
    """Forgets in batches. `sessions`: how long a session is kept after its end; None for ever."""

    def __init__(
        self,
        database: Database,
        attempts: Attempts,
        sessions: timedelta | None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._attempts = attempts
        self._sessions = sessions
        self._now = now

    async def sweep(self) -> None:
        """Forget all that is to be forgotten now. Raises Unavailable."""
        while await self._attempts.sweep(BATCH) == BATCH:
            pass
        now = self._now()
        await self._delete("auth.mail_tokens", "hash", "expires_at <= $1", now)
        # Deletions stay: rooms may hear of one late.
        await self._delete("auth.revocations", "id", "deleted_user_id IS NULL AND at < $1", now - SHOWN_FOR)
        await self._delete("auth.invites", "hash", "expires_at <= $1 OR uses_left = 0", now)
        if self._sessions is not None:
            ended = "least(idle_expires_at, expires_at, revoked_at) < $1"
            await self._delete("auth.sessions", "id", ended, now - self._sessions)

    async def run(self) -> None:
        """Sweep a minute after the start, and every hour."""
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            try:
                await self.sweep()
            except CwrkError as error:
                logger.warning("not forgotten; again in an hour", reason=error.code)
            await asyncio.sleep(EVERY_SECONDS)

    async def _delete(self, table: str, key: str, what: str, when: datetime) -> None:
        while True:
            async with self._database.connection() as connection:
                done = await connection.execute(
                    f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {what} LIMIT $2)",  # noqa: S608  # our own names
                    when,
                    BATCH,
                )
            if int(done.split()[-1]) < BATCH:
                return
