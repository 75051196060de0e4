"""PostgreSQL: a pool with deadlines, whose failures are errors of the domain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg
from asyncpg.connection import LoggedQuery
from asyncpg.pool import PoolConnectionProxy

from common import log, trace
from common.config import ConfigError
from common.errors import Unavailable

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

# What a lost, restarting, full or silent server looks like from here.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    # What asyncpg says of a connection whose server took its leave between two statements.
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)

# A client that vanished in the middle of a transaction, its connection seemingly open, holds its locks no
# longer than this: else nobody could write where it did until TCP gives up, which takes hours.
IDLE_IN_TRANSACTION_SECONDS = 10.0

# So long somebody waits for a connection where all are taken: as long as one statement may take.
ACQUIRE_SECONDS = 5.0

# uuidv7() is in core from 18 on.
NEEDED_VERSION = 18

logger = log.get("database")


class Database:
    """A pool. `connection()` and `transaction()` raise Unavailable if the server is lost or none is free."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool
        #: Who waits for a connection now, and how often the server was lost.
        self.waiting = 0
        self.lost = 0

    @property
    def size(self) -> int:
        """Connections that are open."""
        return self._pool.get_size()

    @property
    def busy(self) -> int:
        return self._pool.get_size() - self._pool.get_idle_size()

    @property
    def most(self) -> int:
        return self._pool.get_max_size()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One connection, without a transaction of its own."""
        try:
            connection = await self._acquired()
            try:
                yield connection
            finally:
                await self._pool.release(connection)
        except LOST as error:
            self.lost += 1
            logger.warning("database lost", reason=type(error).__name__, detail=str(error))
            raise Unavailable(
                "The database does not answer. Try again in a moment.",
                code="DATABASE_UNAVAILABLE",
                retry_after=1.0,
            ) from error

    async def _acquired(self) -> PoolConnectionProxy[asyncpg.Record]:
        self.waiting += 1
        try:
            return await self._pool.acquire(timeout=ACQUIRE_SECONDS)
        finally:
            self.waiting -= 1

    async def ping(self) -> None:
        """For /readyz. Raises Unavailable where the server does not answer."""
        async with self.connection() as connection:
            await connection.execute("SELECT")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One connection in a transaction: committed at the end, rolled back at an exception."""
        async with self.connection() as connection, connection.transaction():
            yield connection


@asynccontextmanager
async def connect(
    url: str,
    *,
    size: int = 10,
    command_timeout: float = 5.0,
    patience: float = 30.0,
    plan_once: bool = False,
) -> AsyncIterator[Database]:
    """Open a pool of at most `size` connections; a statement may take `command_timeout` seconds.

    `plan_once`: each statement is planned once a connection, and not for each of its values: for
    statements of which one plan is good and planning costs more than running.

    A server that is still starting is waited for up to `patience` seconds.
    Raises ConfigError when DATABASE_URL cannot work, in a sentence without the password.
    """
    # No connections beforehand: asyncpg would log a traceback whenever it cannot keep them up.
    pool = asyncpg.create_pool(
        url,
        min_size=0,
        max_size=size,
        timeout=5,
        command_timeout=command_timeout,
        init=_watched if trace.recorder is not None else None,
        reset=_nothing_to_reset,
        server_settings={
            "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS}s",
            "plan_cache_mode": "force_generic_plan" if plan_once else "auto",
        },
    )
    try:
        major = await _version(pool, patience)
        if major < NEEDED_VERSION:
            raise ConfigError(
                f"DATABASE_URL leads to PostgreSQL {major}; {NEEDED_VERSION} or newer is needed."
            )
        yield Database(pool)
    finally:
        try:
            await asyncio.wait_for(pool.close(), 5)
        except TimeoutError:
            pool.terminate()


async def _watched(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    connection.add_query_logger(_traced)


def _traced(query: LoggedQuery) -> None:
    """A statement of what is being handled is a part of its trace; one of nobody's is in none."""
    if trace.recorder is not None and (parent := trace.current.get()):
        failed = type(query.exception).__name__ if query.exception else ""
        trace.recorder.statement(parent, query.query, query.elapsed, failed)


async def _nothing_to_reset(_connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """In place of asyncpg's reset query, which would be a second round trip for each statement of ours.

    We leave nothing in a session: what is set is SET LOCAL, locks end with their transaction but for
    the one in common/migrate.py, which sees to it itself. A transaction left open asyncpg still rolls back.
    """


async def _version(pool: asyncpg.Pool[asyncpg.Record], patience: float) -> int:
    """The server's major version, from the first connection."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + patience
    while True:
        try:
            await pool
            return int(await pool.fetchval("SHOW server_version_num") or 0) // 10000
        except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
            raise ConfigError("DATABASE_URL: the server refuses this user or password.") from None
        except asyncpg.InvalidCatalogNameError:
            raise ConfigError("DATABASE_URL names a database that does not exist; create it first.") from None
        except (ValueError, OverflowError, asyncpg.ClientConfigurationError):
            raise ConfigError(
                "DATABASE_URL cannot be read; it looks like postgresql://user:password@host:5432/name."
            ) from None
        except LOST as error:
            if loop.time() > give_up:
                raise ConfigError(
                    "DATABASE_URL: no PostgreSQL answers there. Start it, or correct the address."
                ) from None
            logger.warning("waiting for PostgreSQL", reason=type(error).__name__)
            await asyncio.sleep(0.5)
