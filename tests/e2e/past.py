"""Messages of before: put into the log's tables, as if they had been said then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from tests.services import Stack


async def was_said(stack: Stack, room: str, user_id: str, said: Sequence[tuple[str, datetime]]) -> None:
    """Texts and when, the oldest first, by somebody who is a member of the room."""
    connection = await asyncpg.connect(stack.env["DATABASE_URL"])
    try:
        await connection.execute(
            "WITH head AS (UPDATE rooms.heads SET last_seq = last_seq + cardinality($3::text[])"
            "  WHERE room_id = $1 RETURNING last_seq - cardinality($3::text[]) AS before)"
            " INSERT INTO rooms.events (room_id, seq, user_id, client_msg_id, text, created_at)"
            " SELECT $1, before + n, $2, 'before-' || n, text, at"
            " FROM head, unnest($3::text[], $4::timestamptz[]) WITH ORDINALITY AS each (text, at, n)",
            UUID(room),
            int(user_id),
            [text for text, _ in said],
            [at for _, at in said],
        )
    finally:
        await connection.close()
