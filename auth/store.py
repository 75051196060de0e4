"""Accounts and sessions in PostgreSQL: all of auth's SQL but that of revocations."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import asyncpg

from auth import people, revocations
from auth.accounts import Account, NewAccount
from auth.sessions import Origin, Session
from common.database import Connection, Database
from common.errors import Conflict

ACCOUNT = (
    "a.id, a.email, a.email_verified, a.display_name, a.avatar_url, a.created_at, a.updated_at,"
    " a.administrator, a.disabled_at"
)
SESSION = (
    "s.id AS session_id, s.user_id, s.generation, s.rotated_at, s.created_at AS opened_at, s.last_used_at,"
    " s.idle_expires_at, s.expires_at, s.revoked_at, s.address, s.user_agent"
)
BOTH = (
    f"SELECT {ACCOUNT}, {SESSION}"  # noqa: S608  # our own names, here and below
    " FROM auth.sessions s JOIN auth.accounts a ON a.id = s.user_id WHERE s.id = $1"
)


class PostgresStore:
    """The `Store` of auth/accounts.py."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_account(
        self, new: NewAccount, open_session: Callable[[int], Session]
    ) -> tuple[Account, Session]:
        try:
            async with self._database.transaction() as connection:
                if new.invite is not None:
                    await people.use_invite(connection, new.invite, new.created_at)
                first = await people.claim(connection)
                row = await connection.fetchrow(
                    "INSERT INTO auth.accounts AS a"  # noqa: S608
                    " (email, email_key, display_name, password_hash, created_at, updated_at, administrator)"
                    f" VALUES ($1, $2, $3, $4, $5, $5, $6) RETURNING {ACCOUNT}",
                    new.email,
                    new.email_key,
                    new.display_name,
                    new.password_hash,
                    new.created_at,
                    first,
                )
                assert row is not None  # noqa: S101  # RETURNING gives the row that was inserted
                session = open_session(row["id"])
                await _insert(connection, session)
                return account_from(row), session
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name != "accounts_email_taken":
                raise
            raise Conflict("There is an account with this e-mail already.", code="EMAIL_TAKEN") from None

    async def find_account(self, email_key: str) -> tuple[Account, str] | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                f"SELECT {ACCOUNT}, a.password_hash FROM auth.accounts a WHERE a.email_key = $1",  # noqa: S608
                email_key,
            )
        return (account_from(row), row["password_hash"]) if row else None

    async def account_by_id(self, user_id: int) -> tuple[Account, str] | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                f"SELECT {ACCOUNT}, a.password_hash FROM auth.accounts a WHERE a.id = $1",  # noqa: S608
                user_id,
            )
        return (account_from(row), row["password_hash"]) if row else None

    async def renew_hash(self, user_id: int, old: str, new: str) -> bool:
        async with self._database.connection() as connection:
            done = await connection.execute(
                "UPDATE auth.accounts SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
                user_id,
                old,
                new,
            )
        return done == "UPDATE 1"

    async def account_of_session(self, session_id: UUID) -> tuple[Account, Session] | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(BOTH, session_id)
        return (account_from(row), session_from(row)) if row else None

    async def add_session(self, session: Session, password_hash: str) -> bool:
        async with self._database.transaction() as connection:
            # Locked, so that whoever ends all sessions of the account sees this one or comes before it.
            holds = await connection.fetchval(
                "SELECT password_hash = $2 AND disabled_at IS NULL FROM auth.accounts"
                " WHERE id = $1 FOR SHARE",
                session.user_id,
                password_hash,
            )
            if holds:
                await _insert(connection, session)
        return bool(holds)

    async def invite_holds(self, invite: bytes) -> bool:
        async with self._database.connection() as connection:
            return await people.invite_holds(connection, invite)

    async def change_session(
        self, session_id: UUID, change: Callable[[Session], Session]
    ) -> tuple[Account, Session] | None:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(BOTH + " FOR UPDATE OF s", session_id)
            if row is None:
                return None
            before = session_from(row)
            after = change(before)
            if after != before:
                await connection.execute(
                    "UPDATE auth.sessions SET generation = $2, rotated_at = $3, last_used_at = $4,"
                    " idle_expires_at = $5, revoked_at = $6, address = $7, user_agent = $8 WHERE id = $1",
                    session_id,
                    after.generation,
                    after.rotated_at,
                    after.last_used_at,
                    after.idle_expires_at,
                    after.revoked_at,
                    after.origin.address,
                    after.origin.user_agent,
                )
            if after.revoked_at is not None and before.revoked_at is None:
                await revocations.add_session(connection, session_id, after.revoked_at)
            return account_from(row), after


async def _insert(connection: Connection, session: Session) -> None:
    await connection.execute(
        "INSERT INTO auth.sessions (id, user_id, generation, rotated_at, created_at, last_used_at,"
        " idle_expires_at, expires_at, address, user_agent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        session.id,
        session.user_id,
        session.generation,
        session.rotated_at,
        session.created_at,
        session.last_used_at,
        session.idle_expires_at,
        session.expires_at,
        session.origin.address,
        session.origin.user_agent,
    )


def account_from(row: asyncpg.Record) -> Account:
    return Account(
        id=row["id"],
        email=row["email"],
        email_verified=row["email_verified"],
        display_name=row["display_name"],
        avatar_url=row["avatar_url"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        administrator=row["administrator"],
        disabled=row["disabled_at"] is not None,
    )


def session_from(row: asyncpg.Record) -> Session:
    return Session(
        id=row["session_id"],
        user_id=row["user_id"],
        generation=row["generation"],
        rotated_at=row["rotated_at"],
        created_at=row["opened_at"],
        last_used_at=row["last_used_at"],
        idle_expires_at=row["idle_expires_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        origin=Origin(row["address"], row["user_agent"]),
    )
