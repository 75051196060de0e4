"""The rooms' study timers in PostgreSQL, by its clock: a row each, and an event for each change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from common.database import Connection, Database
from rooms.core import timer as arithmetic
from rooms.core.events import Event, Timed
from rooms.core.rights import check_member, check_timer
from rooms.frames.outgoing import TimerView
from rooms.log.event_rows import append_event
from rooms.tables.records import timer_of
from rooms.tables.room_rows import find_room, gone, lock_log, lock_room


@dataclass(frozen=True, slots=True)
class TimerRecord:
    """A timer at a time; `set_by` None: nobody has set it yet."""

    timer: TimerView
    set_by: int | None
    now_ms: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of the timer; lengths in seconds, None: as they are."""

    action: str
    focus_s: int | None = None
    break_s: int | None = None

    def applied(self, timer: TimerView, now_ms: int) -> TimerView:
        """Raises Conflict as rooms/core/timer.py does."""
        match self.action:
            case "start":
                return arithmetic.start(timer, now_ms, self.focus_s, self.break_s)
            case "pause":
                return arithmetic.pause(timer, now_ms)
            case "stop":
                return arithmetic.stop(timer, self.focus_s, self.break_s)
        raise ValueError(self.action)


class Timers:
    """Each method is one transaction. All raise Unavailable when the database is lost."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, room_id: UUID, user_id: int) -> TimerRecord:
        """For members. Raises NotFound and Forbidden (NOT_A_MEMBER)."""
        async with self._database.connection() as connection:
            check_member((await find_room(connection, room_id, user_id)).role)
            return await _read(connection, room_id)

    async def set(self, room_id: UUID, user_id: int, wish: Wish) -> tuple[TimerRecord, list[Event]]:
        """The timer after it; no event where it was so already. Raises NotFound, Forbidden and Conflict."""
        async with self._database.transaction() as connection:
            check_timer((await lock_room(connection, room_id, user_id)).role)
            await lock_log(connection, room_id)
            before = await _read(connection, room_id)
            after = wish.applied(before.timer, before.now_ms)
            if after == before.timer:
                return before, []
            await _write(connection, room_id, user_id, after)
            event = await append_event(connection, room_id, user_id, Timed(after))
            return TimerRecord(after, user_id, before.now_ms), [event]


async def _read(connection: Connection, room_id: UUID) -> TimerRecord:
    row = await connection.fetchrow(
        "SELECT t.*, clock_timestamp() AS now FROM rooms.rooms r"
        " LEFT JOIN rooms.timers t ON t.room_id = r.id WHERE r.id = $1",
        room_id,
    )
    if row is None:
        raise gone()
    return TimerRecord(timer_of(row), row["set_by"], int(row["now"].timestamp() * 1000))


async def _write(connection: Connection, room_id: UUID, user_id: int, timer: TimerView) -> None:
    running = timer.state == arithmetic.RUNNING
    await connection.execute(
        "INSERT INTO rooms.timers (room_id, state, focus_s, break_s, started_at, elapsed_ms, set_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (room_id) DO UPDATE SET state = excluded.state,"
        " focus_s = excluded.focus_s, break_s = excluded.break_s, started_at = excluded.started_at,"
        " elapsed_ms = excluded.elapsed_ms, set_by = excluded.set_by",
        room_id,
        timer.state,
        timer.focus_s,
        timer.break_s,
        datetime.fromtimestamp(timer.started_at_ms / 1000, UTC) if running else None,
        timer.elapsed_ms,
        user_id,
    )
