"""Moderation in PostgreSQL: what moderators do to people, with its event in the same transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from common.database import Connection, Database
from common.errors import NotFound
from rooms.core.effects import Ruling
from rooms.core.events import Event, Ruled
from rooms.core.rights import check_moderator, check_ruling
from rooms.frames.incoming import Moderate
from rooms.log.event_rows import append_event
from rooms.tables.bans import ban, bans_of, unban
from rooms.tables.members import end_membership
from rooms.tables.records import BanRecord
from rooms.tables.room_rows import bump, find_room, lock_log, lock_room, role_of

# What is done to members. Who is none can be banned all the same, and who has left may have a role to lose.
OF_MEMBERS = ("mute", "unmute", "kick")


class Moderation:
    """All raise NotFound, Forbidden, and Unavailable when the database is lost."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rule(self, room_id: UUID, by_id: int, act: Moderate) -> tuple[Ruling, list[Event]]:
        """`by_id` does `act`; its event. NotFound: MEMBER_, PERSON_ or BAN_NOT_FOUND, too."""
        async with self._database.transaction() as connection:
            room = await lock_room(connection, room_id, by_id)
            last_seq = await lock_log(connection, room_id)
            whose = await role_of(connection, room_id, act.user_id)
            parted = "" if whose else await _parted_role(connection, room_id, act.user_id)
            check_ruling(room.role, whose or parted, oneself=act.user_id == by_id, to_role=act.role)
            if (act.action in OF_MEMBERS and not whose) or (act.action == "role" and not (whose or parted)):
                raise NotFound("That person is not a member of this room.", code="MEMBER_NOT_FOUND")
            changed, until = await _apply(connection, room_id, by_id, act)
            if not changed:
                return Ruling(last_seq, already=True), []
            await bump(connection, [room_id])
            ruled = Ruled(act.user_id, act.action, act.role, until)
            event = await append_event(connection, room_id, by_id, ruled)
        return Ruling(event.seq), [event]

    async def bans(self, room_id: UUID, user_id: int) -> list[BanRecord]:
        """The bans in force, for moderators."""
        async with self._database.connection() as connection:
            check_moderator((await find_room(connection, room_id, user_id)).role)
            return await bans_of(connection, room_id)


async def _apply(
    connection: Connection, room_id: UUID, by_id: int, act: Moderate
) -> tuple[bool, datetime | None]:
    """Whether it changed anything; until when a ban holds."""
    until: datetime | None = None
    match act.action:
        case "mute":
            changed = await _update(
                connection,
                "self_muted = muted_by IS NOT NULL, muted_by = 'moderator'",
                "muted_by IS DISTINCT FROM 'moderator'",
                room_id,
                act.user_id,
            )
        case "unmute":
            changed = await _update(
                connection,
                "self_muted = false, muted_by = CASE WHEN self_muted THEN 'self' END",
                "muted_by = 'moderator'",
                room_id,
                act.user_id,
            )
        case "role":
            values = room_id, act.user_id, act.role
            changed = await _update(connection, "role = $3", "role <> $3", *values) or await _update(
                connection, "role = $3", "role <> $3", *values, table="parted"
            )
        case "kick":
            await end_membership(connection, room_id, act.user_id, kicked=True)
            changed = True
        case "ban":
            await _check_known(connection, act.user_id)
            await end_membership(connection, room_id, act.user_id, kicked=True)
            until = await ban(connection, room_id, act.user_id, by_id, act.seconds)
            changed = True
        case "unban":
            if not await unban(connection, room_id, act.user_id):
                raise NotFound("That person is not banned.", code="BAN_NOT_FOUND")
            changed = True
        case action:
            raise ValueError(action)
    return changed, until


async def _update(
    connection: Connection, change: str, where: str, *values: object, table: str = "members"
) -> bool:
    """Of one member, or (`parted`) of somebody who has left; whether there was something to change."""
    done = await connection.fetchval(
        f"UPDATE rooms.{table} SET {change} WHERE room_id = $1 AND user_id = $2 AND {where} RETURNING true",  # noqa: S608  # our own text
        *values,
    )
    return bool(done)


async def _parted_role(connection: Connection, room_id: UUID, user_id: int) -> str:
    """Of somebody who left: a moderator who did is one still."""
    role = await connection.fetchval(
        "SELECT role FROM rooms.parted WHERE room_id = $1 AND user_id = $2", room_id, user_id
    )
    return str(role or "")


async def _check_known(connection: Connection, user_id: int) -> None:
    known = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM rooms.people WHERE user_id = $1 AND deleted_at IS NULL)", user_id
    )
    if not known:
        raise NotFound("There is no such person here.", code="PERSON_NOT_FOUND")
