"""Revocations as a stream, for as many watchers as there are: what is in the table, then what comes.

Every reading is of the table, so a lost or late notice costs time and nothing
else. PostgreSQL says when to read (LISTEN); the poll is the canary beside it, for
the moment in which the listening connection is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime

import asyncpg

from auth import revocations
from auth.revocations import Revocation
from common import log
from common.database import LOST, Database

POLL_SECONDS = 2.0
RETRY_SECONDS = 1.0
DEADLINE_SECONDS = 5.0
PING_SECONDS = 10.0
PAGE = 500

logger = log.get("auth.revocations")


class Feed:
    """`run` keeps listening; `close` ends every stream, so that a stopping server need not wait."""

    def __init__(
        self,
        database: Database,
        url: str,
        *,
        poll: float = POLL_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._url = url
        self._poll = poll
        self._now = now
        self._news = asyncio.Event()
        self._closed = False

    async def watch(
        self, after_id: int, *, deletions_only: bool = False
    ) -> AsyncGenerator[Revocation | None, None]:
        """Each revocation once, by id; None where everything that was there has been told.

        Raises Unavailable when the database is lost: whoever watches comes again.
        """
        if await revocations.is_ahead(self._database, after_id):
            after_id = 0
        caught_up = False
        while not self._closed:
            news = self._news  # before the reading: what comes after it is not missed
            page = await revocations.after(
                self._database, after_id, self._now(), deletions_only=deletions_only, limit=PAGE
            )
            for revocation in page:
                yield revocation
                after_id = revocation.id
            if page:
                continue
            if not caught_up:
                caught_up = True
                yield None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll):
                    await news.wait()

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        self._wake()

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except LOST as error:
                logger.warning("not listening for revocations", reason=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(
            self._url, timeout=DEADLINE_SECONDS, command_timeout=DEADLINE_SECONDS
        )
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _connection: lost.set())
            await connection.add_listener(revocations.CHANNEL, lambda *_notice: self._wake())
            self._wake()  # what was committed before we listened
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PING_SECONDS):
                        await lost.wait()
                if not lost.is_set():
                    await connection.execute("SELECT 1")  # a line that is dead without saying so
        finally:
            connection.terminate()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
