"""People, known by what their tokens said last."""

from __future__ import annotations

from common.database import Connection
from common.tokens import Identity
from common.tokens import ended as session_ended


def name_of(identity: Identity) -> str:
    """The name others see."""
    return identity.display_name.strip() or f"user {identity.user_id}"


async def remember(connection: Connection, identity: Identity) -> None:
    """The name is the one of the token. Raises Unauthenticated where the account is deleted."""
    await connection.execute(
        "INSERT INTO rooms.people AS p (user_id, display_name) VALUES ($1, $2) ON CONFLICT (user_id)"
        " DO UPDATE SET display_name = excluded.display_name"
        " WHERE p.display_name <> excluded.display_name AND p.deleted_at IS NULL",
        identity.user_id,
        name_of(identity),
    )
    # Locked, so that a deletion that comes now waits, and then sees what this transaction has added.
    deleted = await connection.fetchval(
        "SELECT deleted_at IS NOT NULL FROM rooms.people WHERE user_id = $1 FOR SHARE", identity.user_id
    )
    if deleted:
        raise session_ended()
