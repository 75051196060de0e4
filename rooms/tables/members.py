"""Members in PostgreSQL: from the first join to leaving, and what outlives it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from common.database import Connection, Database
from common.errors import Forbidden
from common.tokens import Identity
from rooms.core.participant import Member
from rooms.core.rights import MODERATOR, may_speak
from rooms.tables import seats
from rooms.tables.bans import check_not_banned
from rooms.tables.people import remember
from rooms.tables.records import SeatRecord
from rooms.tables.room_rows import Locked, bump, find_room, lock_room

# A person as a row of rooms.members m with p, s and h; rooms/core/participant.py says what they are.
MEMBER = (
    "m.user_id, p.display_name, m.role, coalesce(m.muted_by, '') AS muted_by, m.self_muted,"
    " (extract(epoch FROM m.hand_raised_at) * 1000)::bigint AS hand_raised_at, m.visit,"
    " extract(epoch FROM coalesce(s.taken_at, m.joined_at))::float8 AS joined_at,"
    " extract(epoch FROM coalesce(s.seen_at, m.joined_at))::float8 AS last_seen, h.last_seq AS seq"
)


class Members:
    """Each method is one transaction. All raise Unavailable when the database is lost."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def join(self, room_id: UUID, identity: Identity) -> None:
        """Become a member, if not one already, and take a seat. Again: the same.

        Raises NotFound, Forbidden (BANNED, ROOM_LOCKED) and Conflict (ROOM_FULL).
        """
        async with self._database.transaction() as connection:
            room = await lock_room(connection, room_id, identity.user_id)
            await admit_member(connection, room_id, room, identity)

    async def find(self, room_id: UUID, user_id: int) -> Member:
        """How somebody stands now. Raises Forbidden (BANNED, NOT_A_MEMBER) for who does not any more."""
        async with self._database.connection() as connection:
            await check_not_banned(connection, room_id, user_id)
            return await _member(connection, room_id, user_id)

    async def leave(self, room_id: UUID, user_id: int) -> None:
        """Free the seat and end the membership. Not a member: nothing happens.

        An owner stays a member, and so does everybody of a private room: else they could not come back.
        Raises NotFound for a room that is not there.
        """
        async with self._database.transaction() as connection:
            room = await lock_room(connection, room_id, user_id)
            if room.role == "owner" or (room.role and room.private):
                await _give_up_seat(connection, room_id, user_id)
            elif room.role:
                await end_membership(connection, room_id, user_id)
            await bump(connection, [room_id])

    async def seats(self, room_id: UUID, user_id: int) -> list[SeatRecord]:
        """Who has a seat, longest first. Raises NotFound for who may not know of the room."""
        async with self._database.connection() as connection:
            await find_room(connection, room_id, user_id)
            return await seats.seats_taken(connection, room_id)

    async def listeners(self, room_id: UUID) -> list[int]:
        """Who has a seat, and may not speak as things are."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT m.user_id, m.role, r.listen_only FROM rooms.rooms r"
                " JOIN rooms.members m ON m.room_id = r.id JOIN rooms.seats s USING (room_id, user_id)"
                " WHERE r.id = $1",
                room_id,
            )
        return [row["user_id"] for row in rows if not may_speak(row["role"], row["listen_only"])]

    async def set_muted(self, room_id: UUID, user_id: int, muted: bool) -> None:
        """One's own mute; a moderator's stays, and this is for when it is lifted."""
        async with self._database.transaction() as connection:
            await bump(connection, [room_id])
            await connection.execute(
                "UPDATE rooms.members SET self_muted = muted_by IS NOT DISTINCT FROM 'moderator' AND $3,"
                " muted_by = CASE WHEN muted_by = 'moderator' THEN muted_by WHEN $3 THEN 'self' END"
                " WHERE room_id = $1 AND user_id = $2",
                room_id,
                user_id,
                muted,
            )

    async def set_hand(self, room_id: UUID, user_id: int, raised_at_ms: int | None) -> None:
        """Raised since then, or (None) lowered."""
        raised_at = None if raised_at_ms is None else datetime.fromtimestamp(raised_at_ms / 1000, UTC)
        async with self._database.transaction() as connection:
            await bump(connection, [room_id])
            await connection.execute(
                "UPDATE rooms.members SET hand_raised_at = $3 WHERE room_id = $1 AND user_id = $2",
                room_id,
                user_id,
                raised_at,
            )

    async def rename(self, room_id: UUID, user_id: int, display_name: str) -> None:
        """A newer token has another name. A deleted account's stays away."""
        async with self._database.transaction() as connection:
            await bump(connection, [room_id])
            await connection.execute(
                "UPDATE rooms.people SET display_name = $2 WHERE user_id = $1 AND deleted_at IS NULL",
                user_id,
                display_name,
            )

    async def set_read(self, room_id: UUID, user_id: int, seq: int) -> None:
        """Move the read marker forward."""
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE rooms.members SET read_seq = $3"
                " WHERE room_id = $1 AND user_id = $2 AND read_seq < $3",
                room_id,
                user_id,
                seq,
            )


async def admit_member(connection: Connection, room_id: UUID, room: Locked, identity: Identity) -> None:
    """With the room's row locked: a member with a seat, as joining and an invite make them."""
    await remember(connection, identity)
    await check_not_banned(connection, room_id, identity.user_id)
    if not room.role:
        if room.locked:
            raise Forbidden("The room is locked: nobody new may join.", code="ROOM_LOCKED")
        await _begin_membership(connection, room_id, identity.user_id)
    await seats.take_seat(connection, room_id, identity.user_id, room.max_participants, seats.JOIN_SECONDS)


async def _begin_membership(connection: Connection, room_id: UUID, user_id: int) -> None:
    """As they parted: leaving sheds no mute, nor slow mode. What was said before is not news to them."""
    await connection.execute(
        "WITH parted AS (DELETE FROM rooms.parted WHERE room_id = $1 AND user_id = $2 RETURNING *)"
        " INSERT INTO rooms.members (room_id, user_id, role, muted_by, said_at, read_seq)"
        " SELECT h.room_id, $2, coalesce(p.role, 'member'), CASE WHEN p.muted THEN 'moderator' END,"
        "  p.said_at, h.last_seq"
        " FROM rooms.heads h LEFT JOIN parted p USING (room_id) WHERE h.room_id = $1",
        room_id,
        user_id,
    )


async def end_membership(
    connection: Connection, room_id: UUID, user_id: int, *, kicked: bool = False
) -> None:
    """With it goes the seat. What they had been given or denied is kept, but no kicked moderator's role.

    Of who has left before, a kick takes that role too.
    """
    row = await connection.fetchrow(
        "DELETE FROM rooms.members WHERE room_id = $1 AND user_id = $2"
        " RETURNING role, muted_by = 'moderator' AS muted, said_at",
        room_id,
        user_id,
    )
    if row is None:
        if kicked:
            await connection.execute(
                "UPDATE rooms.parted SET role = 'member'"
                " WHERE room_id = $1 AND user_id = $2 AND role = 'moderator'",
                room_id,
                user_id,
            )
        return
    role = "member" if kicked and row["role"] == MODERATOR else row["role"]
    if role != "member" or row["muted"] or row["said_at"]:
        await connection.execute(
            "INSERT INTO rooms.parted (room_id, user_id, role, muted, said_at) VALUES ($1, $2, $3, $4, $5)",
            room_id,
            user_id,
            role,
            bool(row["muted"]),
            row["said_at"],
        )


async def _give_up_seat(connection: Connection, room_id: UUID, user_id: int) -> None:
    """Of who leaves and stays a member: another stay begins."""
    for table in ("seats", "presence"):
        await connection.execute(
            f"DELETE FROM rooms.{table} WHERE room_id = $1 AND user_id = $2",  # noqa: S608
            room_id,
            user_id,
        )
    await connection.execute(
        "UPDATE rooms.members SET visit = nextval('rooms.visits'), hand_raised_at = NULL"
        " WHERE room_id = $1 AND user_id = $2",
        room_id,
        user_id,
    )


async def _member(connection: Connection, room_id: UUID, user_id: int) -> Member:
    row = await connection.fetchrow(
        f"SELECT {MEMBER} FROM rooms.members m JOIN rooms.people p USING (user_id)"  # noqa: S608  # our own text
        " JOIN rooms.heads h USING (room_id) LEFT JOIN rooms.seats s USING (room_id, user_id)"
        " WHERE m.room_id = $1 AND m.user_id = $2",
        room_id,
        user_id,
    )
    if row is None:
        raise Forbidden("Join the room first.", code="NOT_A_MEMBER")
    return Member(**row)
