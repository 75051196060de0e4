"""The messages of a room as its history shows them: newest first, or those that hold some words."""

from __future__ import annotations

from uuid import UUID

from common.database import Database
from rooms.core.rights import check_member
from rooms.tables.records import ChatRecord
from rooms.tables.room_rows import find_room

MESSAGES = (
    "SELECT m.id, m.seq, m.user_id, p.display_name, m.text, m.created_at, m.reply_to, m.edited_at,"
    " m.deleted_at IS NOT NULL AS deleted,"
    " ARRAY(SELECT ROW(x.emoji, array_agg(x.user_id ORDER BY x.seq)) FROM rooms.reactions x"
    "  WHERE x.msg_id = m.id GROUP BY x.emoji ORDER BY min(x.seq)) AS reactions"
    " FROM rooms.events m JOIN rooms.people p USING (user_id)"
    " WHERE m.room_id = $1 AND m.kind = 'chat' AND m.seq < $2"
)
# As the index `events_words` has it: Russian and English words by their stems, nothing for stop words.
HOLDS = (
    " AND m.deleted_at IS NULL AND rooms.words_of(m.text) @@ websearch_to_tsquery('russian', rooms.plain($4))"
)
NEWEST_FIRST = " ORDER BY m.seq DESC LIMIT $3"

LAST_SEQ = 2**63 - 1


class Messages:
    """All raise Unavailable when the database is lost."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, room_id: UUID, user_id: int, *, before: int | None, limit: int, query: str = ""
    ) -> list[ChatRecord]:
        """Messages older than `before`, newest first; with a `query`: those that hold its words.

        Raises NotFound, and Forbidden for who is no member.
        """
        sql = MESSAGES + (HOLDS if query else "") + NEWEST_FIRST
        async with self._database.connection() as connection:
            check_member((await find_room(connection, room_id, user_id)).role)
            rows = await connection.fetch(
                sql, room_id, LAST_SEQ if before is None else before, limit, *([query] if query else [])
            )
        return [
            ChatRecord(**{**row, "reactions": tuple((emoji, tuple(who)) for emoji, who in row["reactions"])})
            for row in rows
        ]
