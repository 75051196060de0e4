"""A room changes hands: by its owner's wish, or because the owner's account is gone."""

from __future__ import annotations

from uuid import UUID

from common.database import Connection
from common.errors import NotFound
from rooms.core.events import Changed, Event, Ruled
from rooms.core.rights import MODERATOR, OWNER
from rooms.log.event_rows import append_event
from rooms.tables.records import settings_of
from rooms.tables.room_rows import bump, gone


async def hand_over(connection: Connection, room_id: UUID, by_id: int, new_owner_id: int) -> list[Event]:
    """With room and log locked: the new owner, and the old one, where there is one, a moderator.

    Raises NotFound (MEMBER_NOT_FOUND).
    """
    before = await connection.fetchval(
        "UPDATE rooms.members SET role = 'moderator' WHERE room_id = $1 AND role = 'owner' RETURNING user_id",
        room_id,
    )
    found = await connection.fetchval(
        # Nobody could lift a moderator's mute of the owner.
        "UPDATE rooms.members SET role = 'owner', self_muted = false,"
        " muted_by = CASE WHEN muted_by = 'self' OR self_muted THEN 'self' END"
        " WHERE room_id = $1 AND user_id = $2 RETURNING user_id",
        room_id,
        new_owner_id,
    )
    if found is None:
        raise NotFound("The new owner must be a member of the room.", code="MEMBER_NOT_FOUND")
    await connection.execute("UPDATE rooms.rooms SET owner_id = $2 WHERE id = $1", room_id, new_owner_id)
    await bump(connection, [room_id])
    events = [await append_event(connection, room_id, by_id, Ruled(new_owner_id, "role", OWNER))]
    if before is not None:
        events.append(await append_event(connection, room_id, by_id, Ruled(before, "role", MODERATOR)))
    return events


async def heir(connection: Connection, room_id: UUID) -> int | None:
    """Who has a room whose owner is gone: the longest-standing moderator, else member, else nobody."""
    user_id: int | None = await connection.fetchval(
        "SELECT user_id FROM rooms.members m JOIN rooms.people p USING (user_id)"
        " WHERE room_id = $1 AND role IN ('moderator', 'member') AND p.deleted_at IS NULL"
        " ORDER BY role = 'moderator' DESC, joined_at, user_id LIMIT 1",
        room_id,
    )
    return user_id


async def changed_event(connection: Connection, room_id: UUID, by_id: int) -> Event:
    """The room as it is now, written into its log."""
    row = await connection.fetchrow("SELECT * FROM rooms.rooms WHERE id = $1", room_id)
    if row is None:
        raise gone()
    return await append_event(connection, room_id, by_id, Changed(settings_of(row)))
