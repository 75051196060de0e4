"""What people do to their own account and sessions, in PostgreSQL. Each method is one transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from auth import revocations
from auth.accounts import Account
from auth.sessions import Session
from auth.store import ACCOUNT, SESSION, account_from, session_from
from common.database import Database

# Of somebody's sessions so many are listed, those used last.
LIST_MAX = 100


class OwnStore:
    """Every one of these is for the owner of a session that is alive; the rules see to that."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rename(self, user_id: int, display_name: str, now: datetime) -> Account | None:
        """The account with its new name."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "UPDATE auth.accounts a SET display_name = $2, updated_at = $3"  # noqa: S608  # our own names
                f" WHERE id = $1 RETURNING {ACCOUNT}",
                user_id,
                display_name,
                now,
            )
        return account_from(row) if row else None

    async def change_password(
        self, user_id: int, old_hash: str, new_hash: str, keep: UUID, now: datetime
    ) -> bool:
        """Set the password and end every session but `keep`. False where it was changed meanwhile."""
        async with self._database.transaction() as connection:
            done = await connection.execute(
                "UPDATE auth.accounts SET password_hash = $3, updated_at = $4"
                " WHERE id = $1 AND password_hash = $2",
                user_id,
                old_hash,
                new_hash,
                now,
            )
            if done != "UPDATE 1":
                return False
            await revocations.end_sessions(connection, user_id, now, but=keep)
        return True

    async def sessions(self, user_id: int, now: datetime) -> list[Session]:
        """Those that are alive, the one used last first; at most LIST_MAX."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT {SESSION} FROM auth.sessions s WHERE s.user_id = $1 AND s.revoked_at IS NULL"  # noqa: S608
                " AND s.idle_expires_at > $2 AND s.expires_at > $2"
                " ORDER BY s.last_used_at DESC, s.id LIMIT $3",
                user_id,
                now,
                LIST_MAX,
            )
        return [session_from(row) for row in rows]

    async def end_all(self, user_id: int, now: datetime) -> int:
        """End every session; how many were alive."""
        async with self._database.transaction() as connection:
            # Whoever logs in meanwhile waits for this row (store.add_session) and comes after it.
            await connection.execute("SELECT FROM auth.accounts WHERE id = $1 FOR NO KEY UPDATE", user_id)
            return len(await revocations.end_sessions(connection, user_id, now))
