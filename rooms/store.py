"""Rooms, members and seats in PostgreSQL: all SQL but that of the log and of presence."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from common.database import Connection, Database
from common.errors import Conflict, Forbidden, NotFound
from common.tokens import Identity
from common.tokens import ended as session_ended
from rooms import idempotency
from rooms.outgoing import RoomView, TimerView
from rooms.participant import Member
from rooms.records import ChatRecord, RoomRecord, SeatRecord, settings_of, timer_of

JOIN_SECONDS = 60  # a seat taken by joining waits this long for a websocket
SEAT_SECONDS = 30  # and is kept this long after the last one

SEATS_TAKEN = (
    "(SELECT count(*) FROM rooms.seats s WHERE s.room_id = r.id AND s.expires_at > clock_timestamp())"
)
UNREAD = (
    "(SELECT greatest(h.last_seq - me.read_seq, 0) FROM rooms.heads h WHERE h.room_id = r.id"
    " AND me.user_id IS NOT NULL)"
)
# $1 is the person who asks: a private room is there for its members alone.
ROOMS = (
    f"SELECT r.*, {SEATS_TAKEN} AS participants, {UNREAD} AS unread, me.user_id IS NOT NULL AS is_member"  # noqa: S608  # our own text
    " FROM rooms.rooms r LEFT JOIN rooms.members me ON me.room_id = r.id AND me.user_id = $1"
)


class Store:
    """Each method is one transaction. All raise Unavailable when the database is lost."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deployment(self) -> tuple[str, bytes]:
        """The epoch of this history, and the secret that seals cursors."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow("SELECT epoch, secret FROM rooms.deployment")
        if row is None:
            raise NotFound("rooms.deployment is empty.")
        return str(row["epoch"]), row["secret"]

    # --- rooms ------------------------------------------------------------------------------------------

    async def create(
        self,
        owner: Identity,
        *,
        name: str,
        topic: str,
        visibility: str,
        max_participants: int,
        key: idempotency.Key | None = None,
    ) -> RoomRecord:
        """A new room; its maker is its owner and first member, without a seat yet.

        With a `key` that has made a room: that one, as it was then. Raises InvalidFields as `once` does.
        """

        async def make() -> idempotency.Made:
            await _remember(connection, owner)
            row = await connection.fetchrow(
                "INSERT INTO rooms.rooms (name, topic, visibility, max_participants, owner_id)"
                " VALUES ($1, $2, $3, $4, $5) RETURNING id, created_at",
                name,
                topic,
                visibility,
                max_participants,
                owner.user_id,
            )
            if row is None:
                raise gone()
            await connection.execute("INSERT INTO rooms.heads (room_id) VALUES ($1)", row["id"])
            await connection.execute(
                "INSERT INTO rooms.members (room_id, user_id, role) VALUES ($1, $2, 'owner')",
                row["id"],
                owner.user_id,
            )
            return idempotency.Made(row["id"], row["created_at"])

        async with self._database.transaction() as connection:
            made = await (idempotency.once(connection, owner.user_id, key, make) if key else make())
        return RoomRecord(
            id=made.room_id,
            name=name,
            topic=topic,
            visibility=visibility,
            max_participants=max_participants,
            owner_id=owner.user_id,
            created_at=made.created_at,
            participants=0,
            unread=0,
            is_member=True,
        )

    async def room(self, room_id: UUID, user_id: int) -> RoomRecord:
        """The room as `user_id` sees it. Raises NotFound, also for somebody else's private room."""
        async with self._database.connection() as connection:
            return await _room(connection, room_id, user_id)

    async def settings(self, room_id: UUID) -> tuple[RoomView, TimerView]:
        """The room's settings and its timer, as everybody in it may know them. Raises NotFound."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT r.*, t.state, t.focus_s, t.break_s, t.started_at, t.elapsed_ms"
                " FROM rooms.rooms r LEFT JOIN rooms.timers t ON t.room_id = r.id WHERE r.id = $1",
                room_id,
            )
        if row is None:
            raise gone()
        return settings_of(row), timer_of(row)

    async def list_rooms(
        self, user_id: int, *, query: str, before: UUID | None, limit: int
    ) -> list[RoomRecord]:
        """Public rooms and one's own, newest first, older than `before`; `query`: in name or topic."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"{ROOMS} WHERE (r.visibility = 'public' OR me.user_id IS NOT NULL)"
                " AND ($2::uuid IS NULL OR r.id < $2)"
                # pg_c_utf8: every script has its lower case, whatever the server's locale.
                " AND ($3 = '' OR strpos(lower(r.name || E'\n' || r.topic COLLATE pg_c_utf8),"
                "   lower($3::text COLLATE pg_c_utf8)) > 0)"
                " ORDER BY r.id DESC LIMIT $4",
                user_id,
                before,
                query,
                limit,
            )
        return [_room_record(row) for row in rows]

    # --- members and seats ------------------------------------------------------------------------------

    async def join(self, room_id: UUID, identity: Identity) -> None:
        """Become a member, if not one already, and take a seat. Again: the same.

        Raises NotFound, and Conflict (ROOM_FULL) when every seat is taken.
        """
        async with self._database.transaction() as connection:
            max_participants = await _lock(connection, room_id, identity.user_id)
            await _remember(connection, identity)
            await connection.execute(
                "INSERT INTO rooms.members (room_id, user_id, role, read_seq)"
                " SELECT room_id, $2, 'member', last_seq FROM rooms.heads WHERE room_id = $1"
                " ON CONFLICT DO NOTHING",
                room_id,
                identity.user_id,
            )
            await _take_seat(connection, room_id, identity.user_id, max_participants, JOIN_SECONDS)

    async def admit(self, room_id: UUID, identity: Identity) -> Member:
        """A member's websocket: takes the seat again if one is free.

        Raises NotFound, Forbidden (NOT_A_MEMBER) and Conflict (ROOM_FULL).
        """
        async with self._database.transaction() as connection:
            max_participants = await _lock(connection, room_id, identity.user_id)
            await _remember(connection, identity)
            row = await connection.fetchrow(
                "SELECT role, muted_by, visit FROM rooms.members WHERE room_id = $1 AND user_id = $2",
                room_id,
                identity.user_id,
            )
            if row is None:
                raise Forbidden("Join the room first.", code="NOT_A_MEMBER")
            seat = await _take_seat(connection, room_id, identity.user_id, max_participants, SEAT_SECONDS)
        return Member(
            user_id=identity.user_id,
            display_name=name_of(identity),
            role=row["role"],
            muted_by=row["muted_by"] or "",
            joined_at=seat["taken_at"].timestamp(),
            last_seen=seat["seen_at"].timestamp(),
            visit=row["visit"],
        )

    async def leave(self, room_id: UUID, user_id: int) -> None:
        """Free the seat and end the membership; an owner stays a member. Not a member: nothing happens.

        Raises NotFound for a room that is not there.
        """
        async with self._database.transaction() as connection:
            await _lock(connection, room_id, user_id)
            role = await connection.fetchval(
                "DELETE FROM rooms.members WHERE room_id = $1 AND user_id = $2 AND role <> 'owner'"
                " RETURNING role",
                room_id,
                user_id,
            )
            if role is None:
                for table in ("seats", "presence"):
                    await connection.execute(
                        f"DELETE FROM rooms.{table} WHERE room_id = $1 AND user_id = $2",  # noqa: S608
                        room_id,
                        user_id,
                    )
                await connection.execute(
                    "UPDATE rooms.members SET visit = nextval('rooms.visits')"
                    " WHERE room_id = $1 AND user_id = $2",
                    room_id,
                    user_id,
                )
            await bump(connection, [room_id])

    async def hold_seat(self, room_id: UUID, user_id: int) -> None:
        """The last websocket is gone: the seat stays for SEAT_SECONDS from now."""
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE rooms.seats SET seen_at = clock_timestamp(),"
                " expires_at = clock_timestamp() + make_interval(secs => $3)"
                " WHERE room_id = $1 AND user_id = $2",
                room_id,
                user_id,
                float(SEAT_SECONDS),
            )

    async def set_muted(self, room_id: UUID, user_id: int, muted: bool) -> None:
        """One's own mute; a moderator's is left as it is."""
        async with self._database.transaction() as connection:
            await connection.execute(
                "UPDATE rooms.members SET muted_by = $3"
                " WHERE room_id = $1 AND user_id = $2 AND muted_by IS DISTINCT FROM 'moderator'",
                room_id,
                user_id,
                "self" if muted else None,
            )
            await bump(connection, [room_id])

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

    async def seats(self, room_id: UUID, user_id: int) -> list[SeatRecord]:
        """Who has a seat, longest first. Raises NotFound as `room` does."""
        async with self._database.connection() as connection:
            await _room(connection, room_id, user_id)
            rows = await connection.fetch(
                "SELECT s.user_id, p.display_name, m.role, coalesce(m.muted_by, '') AS muted_by,"
                " s.taken_at, s.seen_at, EXISTS (SELECT FROM rooms.presence c WHERE c.room_id = s.room_id"
                "   AND c.user_id = s.user_id AND c.expires_at > clock_timestamp()) AS online"
                " FROM rooms.seats s JOIN rooms.members m USING (room_id, user_id)"
                " JOIN rooms.people p USING (user_id)"
                " WHERE s.room_id = $1 AND s.expires_at > clock_timestamp() ORDER BY s.taken_at, s.user_id",
                room_id,
            )
        return [SeatRecord(**row) for row in rows]

    # --- history ----------------------------------------------------------------------------------------

    async def chat(self, room_id: UUID, user_id: int, *, before: int | None, limit: int) -> list[ChatRecord]:
        """Messages older than `before`, newest first. Raises NotFound, and Forbidden for non-members."""
        async with self._database.connection() as connection:
            room = await _room(connection, room_id, user_id)
            if not room.is_member:
                raise Forbidden("Join the room first.", code="NOT_A_MEMBER")
            rows = await connection.fetch(
                "SELECT m.id, m.seq, m.user_id, p.display_name, m.text, m.created_at, m.reply_to,"
                " m.edited_at, m.deleted_at IS NOT NULL AS deleted"
                " FROM rooms.events m JOIN rooms.people p USING (user_id)"
                " WHERE m.room_id = $1 AND m.kind = 'chat' AND ($2::bigint IS NULL OR m.seq < $2)"
                " ORDER BY m.seq DESC LIMIT $3",
                room_id,
                before,
                limit,
            )
        return [ChatRecord(**row) for row in rows]


def name_of(identity: Identity) -> str:
    """The name others see."""
    return identity.display_name.strip() or f"user {identity.user_id}"


def gone() -> NotFound:
    """One answer for a room that is not there, and for one that the asker may not know of."""
    return NotFound("There is no such room.", code="ROOM_NOT_FOUND")


async def bump(connection: Connection, room_ids: list[UUID]) -> None:
    """Who is in these rooms, or how, has changed: replicas load it again."""
    await connection.execute(
        "UPDATE rooms.rooms r SET roster_version = roster_version + 1"
        " FROM (SELECT id FROM rooms.rooms WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE) locked"
        " WHERE r.id = locked.id",
        room_ids,
    )


async def _lock(connection: Connection, room_id: UUID, user_id: int) -> int:
    """Lock the room's row, so that seats are counted by one at a time; how many there are.

    Raises NotFound, also for somebody else's private room.
    """
    max_participants = await connection.fetchval(
        "SELECT max_participants FROM rooms.rooms r WHERE id = $1 AND (visibility <> 'private' OR EXISTS"
        " (SELECT FROM rooms.members m WHERE m.room_id = r.id AND m.user_id = $2)) FOR NO KEY UPDATE",
        room_id,
        user_id,
    )
    if max_participants is None:
        raise gone()
    return int(max_participants)


async def _take_seat(
    connection: Connection, room_id: UUID, user_id: int, max_participants: int, seconds: int
) -> asyncpg.Record:
    """With the room's row locked. An own seat that still runs is kept, at least for `seconds` from now."""
    taken = await connection.fetchval(
        "SELECT count(*) FROM rooms.seats"
        " WHERE room_id = $1 AND user_id <> $2 AND expires_at > clock_timestamp()",
        room_id,
        user_id,
    )
    if int(taken or 0) >= max_participants:
        raise Conflict("The room is full.", code="ROOM_FULL")
    row = await connection.fetchrow(
        "INSERT INTO rooms.seats AS s (room_id, user_id, taken_at, seen_at, expires_at)"
        " VALUES ($1, $2, clock_timestamp(), clock_timestamp(),"
        "  clock_timestamp() + make_interval(secs => $3))"
        " ON CONFLICT (room_id, user_id) DO UPDATE SET"
        "  taken_at = CASE WHEN s.expires_at > clock_timestamp() THEN s.taken_at ELSE clock_timestamp() END,"
        "  seen_at = clock_timestamp(), expires_at = greatest(s.expires_at, excluded.expires_at)"
        " RETURNING taken_at, seen_at",
        room_id,
        user_id,
        float(seconds),
    )
    if row is None:
        raise gone()
    return row


async def _remember(connection: Connection, identity: Identity) -> None:
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


async def _room(connection: Connection, room_id: UUID, user_id: int) -> RoomRecord:
    row = await connection.fetchrow(
        f"{ROOMS} WHERE r.id = $2 AND (r.visibility <> 'private' OR me.user_id IS NOT NULL)", user_id, room_id
    )
    if row is None:
        raise gone()
    return _room_record(row)


def _room_record(row: asyncpg.Record) -> RoomRecord:
    return RoomRecord(
        id=row["id"],
        name=row["name"],
        topic=row["topic"],
        visibility=row["visibility"],
        max_participants=row["max_participants"],
        owner_id=row["owner_id"],
        created_at=row["created_at"],
        participants=row["participants"],
        unread=row["unread"] or 0,
        is_member=row["is_member"],
    )
