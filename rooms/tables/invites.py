"""Invites: links that let people into a room, also into a private one."""

from __future__ import annotations

import secrets
from uuid import UUID

from common.database import Connection, Database
from common.errors import Conflict, NotFound
from common.tokens import Identity
from rooms.core.rights import check_moderator
from rooms.tables.members import admit_member
from rooms.tables.people import remember
from rooms.tables.records import InviteRecord, RoomRecord
from rooms.tables.room_rows import find_room, lock_room

CODE_BYTES = 16  # nobody guesses 128 bits
MOST_OPEN = 200

COLUMNS = "code, room_id, created_by, created_at, expires_at, max_uses, uses"
OPENS = (
    "i.revoked_at IS NULL AND (i.expires_at IS NULL OR i.expires_at > clock_timestamp())"
    " AND (i.max_uses IS NULL OR i.uses < i.max_uses)"
)


class Invites:
    """Each method is one transaction. All raise Unavailable when the database is lost."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, room_id: UUID, user_id: int, *, expires_in: int, max_uses: int | None
    ) -> InviteRecord:
        """By the owner or a moderator, good for `expires_in` seconds.

        Raises NotFound, Forbidden, and Conflict (TOO_MANY_INVITES) where MOST_OPEN open the room's door.
        """
        async with self._database.transaction() as connection:
            check_moderator((await lock_room(connection, room_id, user_id)).role)
            there = await connection.fetchval(
                f"SELECT count(*) FROM rooms.invites i WHERE room_id = $1 AND {OPENS}",  # noqa: S608
                room_id,
            )
            if there >= MOST_OPEN:
                raise Conflict("There are too many open invites; revoke some.", code="TOO_MANY_INVITES")
            row = await connection.fetchrow(
                "INSERT INTO rooms.invites (code, room_id, created_by, expires_at, max_uses)"  # noqa: S608  # our own text
                " VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4), $5)"
                f" RETURNING {COLUMNS}",
                secrets.token_urlsafe(CODE_BYTES),
                room_id,
                user_id,
                float(expires_in),
                max_uses,
            )
            if row is None:
                raise invalid()
            return InviteRecord(**row)

    async def list_open(self, room_id: UUID, user_id: int) -> list[InviteRecord]:
        """Those that still open the door, newest first. Raises NotFound and Forbidden."""
        async with self._database.connection() as connection:
            check_moderator((await find_room(connection, room_id, user_id)).role)
            rows = await connection.fetch(
                f"SELECT {COLUMNS} FROM rooms.invites i WHERE room_id = $1 AND {OPENS}"  # noqa: S608  # our own text
                " ORDER BY created_at DESC, code LIMIT $2",
                room_id,
                MOST_OPEN,
            )
        return [InviteRecord(**row) for row in rows]

    async def revoke(self, room_id: UUID, user_id: int, code: str) -> None:
        """Nobody comes in by it from now on. Raises NotFound (INVITE_INVALID) and Forbidden."""
        async with self._database.transaction() as connection:
            check_moderator((await find_room(connection, room_id, user_id)).role)
            revoked = await connection.fetchval(
                "UPDATE rooms.invites SET revoked_at = coalesce(revoked_at, now())"
                " WHERE room_id = $1 AND code = $2 RETURNING true",
                room_id,
                code,
            )
            if not revoked:
                raise invalid()

    async def accept(self, code: str, identity: Identity) -> RoomRecord:
        """Become a member of its room, with a seat. Members may do so again; nobody counts twice.

        Raises NotFound (INVITE_INVALID), Forbidden (BANNED, ROOM_LOCKED) and Conflict (ROOM_FULL).
        """
        async with self._database.transaction() as connection:
            room_id = await connection.fetchval("SELECT room_id FROM rooms.invites WHERE code = $1", code)
            if room_id is None:
                raise invalid()
            # From here on one at a time: what is counted below is exact.
            room = await lock_room(connection, room_id, identity.user_id, invited=True)
            await remember(connection, identity)
            if not room.role:
                await _count(connection, code, identity.user_id)
            await admit_member(connection, room_id, room, identity)
            return await find_room(connection, room_id, identity.user_id)


async def _count(connection: Connection, code: str, user_id: int) -> None:
    """One person more, unless it let them in before. Raises NotFound where it opens nothing any more."""
    before = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM rooms.invite_uses WHERE code = $1 AND user_id = $2)", code, user_id
    )
    counted = await connection.fetchval(
        "UPDATE rooms.invites i SET uses = uses + CASE WHEN $2 THEN 0 ELSE 1 END"
        " WHERE code = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())"
        " AND ($2 OR max_uses IS NULL OR uses < max_uses) RETURNING true",
        code,
        bool(before),
    )
    if not counted:
        raise invalid()
    if not before:
        await connection.execute(
            "INSERT INTO rooms.invite_uses (code, user_id) VALUES ($1, $2)", code, user_id
        )


def invalid() -> NotFound:
    """One answer for all that opens nothing: a guesser learns nothing from it."""
    return NotFound("This invite does not hold, or not any more. Ask for another.", code="INVITE_INVALID")
