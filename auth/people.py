"""The SQL of invites, of the first account, and of what an operator does to accounts.

Each function is a step of its caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from auth import revocations
from auth.registration import invite_invalid
from common.database import Connection


async def claim(connection: Connection) -> bool:
    """Whether the account about to be added is the first one. Who asks meanwhile waits for the outcome."""
    done = await connection.execute("UPDATE auth.installation SET claimed = true WHERE NOT claimed")
    return done == "UPDATE 1"


async def invite_holds(connection: Connection, invite: bytes) -> bool:
    held = await connection.fetchval(
        "SELECT uses_left > 0 AND expires_at > $2 FROM auth.invites WHERE hash = $1",
        invite,
        datetime.now(UTC),
    )
    return bool(held)


async def use_invite(connection: Connection, invite: bytes, now: datetime) -> None:
    """Take one use. Raises Forbidden (INVITE_INVALID)."""
    done = await connection.execute(
        "UPDATE auth.invites SET uses_left = uses_left - 1"
        " WHERE hash = $1 AND uses_left > 0 AND expires_at > $2",
        invite,
        now,
    )
    if done != "UPDATE 1":
        raise invite_invalid()


async def add_invite(
    connection: Connection, invite: bytes, uses: int, expires_at: datetime, now: datetime
) -> None:
    await connection.execute(
        "INSERT INTO auth.invites (hash, uses_left, expires_at, created_at) VALUES ($1, $2, $3, $4)",
        invite,
        uses,
        expires_at,
        now,
    )


@dataclass(frozen=True, slots=True)
class Person:
    """An account, as the operator's list has it."""

    id: int
    email: str
    display_name: str
    created_at: datetime
    administrator: bool
    disabled: bool
    email_verified: bool


async def everybody(connection: Connection) -> list[Person]:
    rows = await connection.fetch(
        "SELECT id, email, display_name, created_at, administrator, disabled_at IS NOT NULL AS disabled,"
        " email_verified FROM auth.accounts ORDER BY administrator DESC, id"
    )
    return [Person(**row) for row in rows]


async def find(connection: Connection, email_key: str) -> int | None:
    user_id: int | None = await connection.fetchval(
        "SELECT id FROM auth.accounts WHERE email_key = $1 FOR UPDATE", email_key
    )
    return user_id


async def promote(connection: Connection, email_key: str, now: datetime) -> int | None:
    """Make an account an administrator's; None where there is no such account."""
    user_id: int | None = await connection.fetchval(
        "UPDATE auth.accounts SET administrator = true, updated_at = $2 WHERE email_key = $1 RETURNING id",
        email_key,
        now,
    )
    return user_id


async def add_administrator(
    connection: Connection, email: str, email_key: str, display_name: str, password_hash: str, now: datetime
) -> int:
    """A new account; nobody who registers later is the first one."""
    await claim(connection)
    user_id = await connection.fetchval(
        "INSERT INTO auth.accounts"
        " (email, email_key, display_name, password_hash, created_at, updated_at, administrator)"
        " VALUES ($1, $2, $3, $4, $5, $5, true) RETURNING id",
        email,
        email_key,
        display_name,
        password_hash,
        now,
    )
    return int(user_id or 0)


async def disable(connection: Connection, email_key: str, now: datetime) -> int | None:
    """Refuse an account from now on: its sessions end, its letters' links are void."""
    user_id: int | None = await connection.fetchval(
        "UPDATE auth.accounts SET disabled_at = coalesce(disabled_at, $2), updated_at = $2"
        " WHERE email_key = $1 RETURNING id",
        email_key,
        now,
    )
    if user_id is not None:
        await connection.execute("DELETE FROM auth.mail_tokens WHERE user_id = $1", user_id)
        await revocations.end_sessions(connection, user_id, now)
    return user_id


async def enable(connection: Connection, email_key: str, now: datetime) -> int | None:
    user_id: int | None = await connection.fetchval(
        "UPDATE auth.accounts SET disabled_at = NULL, updated_at = $2 WHERE email_key = $1 RETURNING id",
        email_key,
        now,
    )
    return user_id


async def erase(connection: Connection, user_id: int, now: datetime) -> None:
    """All that auth knows of somebody: account, sessions, links. The id is never given to anybody else."""
    done = await connection.execute("DELETE FROM auth.accounts WHERE id = $1", user_id)
    if done == "DELETE 1":
        await revocations.add_deletion(connection, user_id, now)
