"""Rooms in PostgreSQL: making, finding, changing and deleting them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from common.database import Connection, Database
from common.errors import Conflict, NotFound
from common.tokens import Identity
from rooms.core.events import Event
from rooms.core.rights import check_owner, check_settings
from rooms.frames.outgoing import RoomView, TimerView
from rooms.log.erasure import Erasure
from rooms.log.messages import Messages
from rooms.tables import idempotency
from rooms.tables.invites import Invites
from rooms.tables.members import Members
from rooms.tables.moderation import Moderation
from rooms.tables.ownership import changed_event, hand_over
from rooms.tables.people import remember
from rooms.tables.records import RoomRecord, settings_of, timer_of
from rooms.tables.room_rows import ROOMS, find_room, gone, lock_log, lock_room, room_of
from rooms.tables.timers import Timers

OWNED_LOCK = 0x6F77_6E64  # any number that nobody else uses


class Store:
    """Each method is one transaction. All raise Unavailable when the database is lost.

    What belongs to rooms is in files of its own, and reached from here.
    """

    def __init__(self, database: Database, *, person_rooms: int = 0) -> None:
        """`person_rooms`: so many one person may own; 0: any number."""
        self._person_rooms = person_rooms
        self._database = database
        self.members = Members(database)
        self.messages = Messages(database)
        self.moderation = Moderation(database)
        self.invites = Invites(database)
        self.timers = Timers(database)
        self.erasure = Erasure(database)

    async def deployment(self) -> tuple[str, bytes]:
        """The epoch of this history, and the secret that seals cursors and tickets."""
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

        With a `key` that has made a room: that one, as it was then. Raises InvalidFields as `once` does, and
        Conflict (TOO_MANY_ROOMS).
        """

        async def make() -> idempotency.Made:
            await remember(connection, owner)
            await self._check_owned(connection, owner.user_id)
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
            locked=False,
            slow_mode_s=0,
            listen_only=False,
            role="owner",
        )

    async def _check_owned(self, connection: Connection, user_id: int) -> None:
        if not self._person_rooms:
            return
        # One at a time for a person, so that their rooms are counted right.
        await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", OWNED_LOCK, user_id % 2**31)
        owned = await connection.fetchval(
            "SELECT count(*) FROM rooms.members WHERE user_id = $1 AND role = 'owner'", user_id
        )
        if owned >= self._person_rooms:
            raise Conflict("You own as many rooms as one person may; delete one.", code="TOO_MANY_ROOMS")

    async def room(self, room_id: UUID, user_id: int) -> RoomRecord:
        """The room as `user_id` sees it. Raises NotFound, also for somebody else's private room."""
        async with self._database.connection() as connection:
            return await find_room(connection, room_id, user_id)

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
        return [room_of(row) for row in rows]

    # --- changing -----------------------------------------------------------------------------------------

    async def update(
        self, room_id: UUID, user_id: int, settings: Mapping[str, object], new_owner_id: int | None
    ) -> tuple[RoomRecord, list[Event]]:
        """Change these settings, by the names of RoomView, and perhaps the owner; the room, and the events.

        What is so already is no change. Raises NotFound, and Forbidden where the role does not allow it.
        """
        async with self._database.transaction() as connection:
            locked = await lock_room(connection, room_id, user_id)
            asked = {*settings, "owner_id"} if new_owner_id is not None else set(settings)
            check_settings(locked.role, asked)
            await lock_log(connection, room_id)
            before = (await find_room(connection, room_id, user_id)).view()
            changed = {name: value for name, value in settings.items() if getattr(before, name) != value}
            if changed:
                columns = ", ".join(f"{name} = ${place}" for place, name in enumerate(changed, 2))
                await connection.execute(
                    f"UPDATE rooms.rooms SET {columns} WHERE id = $1",  # noqa: S608  # names of RoomView
                    room_id,
                    *changed.values(),
                )
            events: list[Event] = []
            if new_owner_id is not None and new_owner_id != int(before.owner_id):
                events += await hand_over(connection, room_id, user_id, new_owner_id)
            if changed or events:
                events.append(await changed_event(connection, room_id, user_id))
            return await find_room(connection, room_id, user_id), events

    async def delete(self, room_id: UUID, user_id: int) -> list[int]:
        """The room and all that is in it; its log soon. Who had a seat.

        Raises NotFound, and Forbidden (OWNER_ONLY).
        """
        async with self._database.transaction() as connection:
            locked = await lock_room(connection, room_id, user_id)
            check_owner(locked.role)
            await lock_log(connection, room_id)
            await connection.execute("INSERT INTO rooms.deleted_rooms (room_id) VALUES ($1)", room_id)
            seats = await connection.fetch(
                "DELETE FROM rooms.seats WHERE room_id = $1 RETURNING user_id", room_id
            )
            await connection.execute("DELETE FROM rooms.rooms WHERE id = $1", room_id)
        self.erasure.wanted()
        return [row["user_id"] for row in seats]
