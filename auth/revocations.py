"""Revocations in PostgreSQL: ending sessions, so that everybody who trusts their tokens hears of it.

Call these last in a transaction. They take a lock that all revocations share and
that is held until the commit: ids are committed in their order, and a reader
that goes on after the last id it saw misses none. Taken last, it is held for a
moment, and nobody who has it waits for a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from auth.tokens import LIFETIME
from common.database import Connection, Database
from common.tokens import LEEWAY_SECONDS

CHANNEL = "auth_revocations"
LOCK = 0x6175_7468_7265_766F  # any number that nobody else uses
# As long as a token of the session may be shown, clocks that differ included.
SHOWN_FOR = LIFETIME + timedelta(seconds=LEEWAY_SECONDS) + timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Revocation:
    """One of the three is set: a session, an account's sessions opened before `at`, a deleted account."""

    id: int
    session_id: UUID | None
    user_id: int | None
    deleted_user_id: int | None
    at: datetime


async def add_session(connection: Connection, session_id: UUID, at: datetime) -> None:
    """This session has ended."""
    await _lock(connection)
    await connection.execute("INSERT INTO auth.revocations (session_id, at) VALUES ($1, $2)", session_id, at)


async def add_deletion(connection: Connection, user_id: int, at: datetime) -> None:
    """The account is gone: its tokens are refused and its websockets closed, rooms forgets its name."""
    await _lock(connection)
    await connection.execute(
        "INSERT INTO auth.revocations (deleted_user_id, at) VALUES ($1, $2)", user_id, at
    )


async def end_sessions(
    connection: Connection, user_id: int, at: datetime, *, but: UUID | None = None
) -> list[UUID]:
    """End every session of an account (`but` this one); those that were alive."""
    rows = await connection.fetch(
        "UPDATE auth.sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL"
        " AND id IS DISTINCT FROM $3::uuid RETURNING id",
        user_id,
        at,
        but,
    )
    ended = [row["id"] for row in rows]
    if ended:
        await _lock(connection)
        await connection.execute(
            "INSERT INTO auth.revocations (session_id, at) SELECT id, $2 FROM unnest($1::uuid[]) AS e (id)",
            ended,
            at,
        )
    return ended


async def after(
    database: Database, after_id: int, now: datetime, *, deletions_only: bool, limit: int
) -> list[Revocation]:
    """The next ones after an id, oldest first.

    Either those whose tokens may still be shown, or deletions alone, however old.
    """
    wanted = "deleted_user_id IS NOT NULL" if deletions_only else "at > $2"
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT id, session_id, user_id, deleted_user_id, at FROM auth.revocations"  # noqa: S608  # our own text
            f" WHERE id > $1 AND {wanted} AND $2::timestamptz IS NOT NULL ORDER BY id LIMIT $3",
            after_id,
            now - SHOWN_FOR,
            limit,
        )
    return [_revocation(row) for row in rows]


async def is_ahead(database: Database, after_id: int) -> bool:
    """Whether no such id was given out yet: the database came back from a backup."""
    async with database.connection() as connection:
        last = await connection.fetchval("SELECT last_value FROM auth.revocations_id_seq")
    return after_id > int(last or 0)


async def _lock(connection: Connection) -> None:
    # The notice goes out with the commit.
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


def _revocation(row: asyncpg.Record) -> Revocation:
    return Revocation(**row)
