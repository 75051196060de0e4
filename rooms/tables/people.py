"""People, known by what their tokens said last."""

from __future__ import annotations

from collections.abc import Iterable

from common.database import Connection
from common.tokens import Identity
from common.tokens import ended as session_ended


def name_of(identity: Identity) -> str:
    """The name others see."""
    return identity.display_name.strip() or f"user {identity.user_id}"


async def remember(connection: Connection, identity: Identity) -> None:
    """The name is the one of the token. Raises Unauthenticated where the account is deleted."""
    if await remember_all(connection, [identity]):
        raise session_ended()


async def remember_all(connection: Connection, identities: Iterable[Identity]) -> set[int]:
    """The same of many; those whose account is deleted."""
    names = {identity.user_id: name_of(identity) for identity in identities}
    people = sorted(names)
    await connection.execute(
        "INSERT INTO rooms.people AS p (user_id, display_name) SELECT * FROM unnest($1::bigint[], $2::text[])"
        " ON CONFLICT (user_id) DO UPDATE SET display_name = excluded.display_name"
        " WHERE p.display_name <> excluded.display_name AND p.deleted_at IS NULL",
        people,
        [names[user_id] for user_id in people],
    )
    # Locked, so that a deletion that comes now waits, and then sees what this transaction has added.
    rows = await connection.fetch(
        "SELECT user_id, deleted_at FROM rooms.people WHERE user_id = ANY($1::bigint[])"
        " ORDER BY user_id FOR SHARE",
        people,
    )
    return {row["user_id"] for row in rows if row["deleted_at"] is not None}
