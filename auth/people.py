"""The SQL of invites, of the first account, and of what an operator does to accounts.

Each function is a step of its caller's transaction.
"""

from __future__ import annotations

from datetime import UTC, datetime

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
