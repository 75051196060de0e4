"""`Idempotency-Key`: who asks again with the same key gets the first answer, not a second room.

A key belongs to one person and one body, and lasts 24 hours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.database import Connection
from common.errors import FieldError, InvalidFields

# Expired keys that one request clears away; each brings one, so they do not pile up.
SWEEP = 100


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it was sent, and a digest of what it was sent with."""

    text: str
    body_sha256: bytes


@dataclass(frozen=True, slots=True)
class Made:
    """The room that a key made: the rest of the first answer is in the body."""

    room_id: UUID
    created_at: datetime


async def once(connection: Connection, user_id: int, key: Key, make: Callable[[], Awaitable[Made]]) -> Made:
    """`make`, unless this key has made one already. In the transaction of `make`.

    Raises InvalidFields (IDEMPOTENCY_KEY_REUSED) when the key came with another body.
    """
    # Two at once: the second waits here until the first has committed, or takes over if it failed.
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($2, $1))", user_id, f"idempotency {key.text}"
    )
    await _sweep(connection, user_id, key)
    row = await connection.fetchrow(
        "SELECT body_sha256, room_id, room_created_at FROM rooms.idempotency_keys"
        " WHERE user_id = $1 AND key = $2",
        user_id,
        key.text,
    )
    if row is not None:
        if row["body_sha256"] != key.body_sha256:
            raise InvalidFields(
                FieldError("Idempotency-Key", "was used with another body"), code="IDEMPOTENCY_KEY_REUSED"
            )
        return Made(row["room_id"], row["room_created_at"])
    made = await make()
    await connection.execute(
        "INSERT INTO rooms.idempotency_keys (user_id, key, body_sha256, room_id, room_created_at)"
        " VALUES ($1, $2, $3, $4, $5)",
        user_id,
        key.text,
        key.body_sha256,
        made.room_id,
        made.created_at,
    )
    return made


async def _sweep(connection: Connection, user_id: int, key: Key) -> None:
    await connection.execute(
        "DELETE FROM rooms.idempotency_keys WHERE user_id = $1 AND key = $2"
        " AND created_at < now() - interval '24 hours'",
        user_id,
        key.text,
    )
    await connection.execute(
        "DELETE FROM rooms.idempotency_keys WHERE (user_id, key) IN (SELECT user_id, key"
        "  FROM rooms.idempotency_keys WHERE created_at < now() - interval '24 hours'"
        "  ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)",
        SWEEP,
    )
