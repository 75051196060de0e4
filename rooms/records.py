"""What rooms/store.py reads: rows as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from rooms.outgoing import RoomView, TimerView

FOCUS_SECONDS, BREAK_SECONDS = 1500, 300  # of a timer that nobody has set yet


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """A room as somebody sees it: `participants` seats taken, `unread` after that person's marker."""

    id: UUID
    name: str
    topic: str
    visibility: str
    max_participants: int
    owner_id: int
    created_at: datetime
    participants: int
    unread: int
    is_member: bool


@dataclass(frozen=True, slots=True)
class SeatRecord:
    """Somebody who has a seat; `online`: with a websocket."""

    user_id: int
    display_name: str
    role: str
    muted_by: str
    taken_at: datetime
    seen_at: datetime
    online: bool


@dataclass(frozen=True, slots=True)
class ChatRecord:
    """A message of the history; a deleted one has no text."""

    id: UUID
    seq: int
    user_id: int
    display_name: str
    text: str
    created_at: datetime
    reply_to: UUID | None
    edited_at: datetime | None
    deleted: bool


def settings_of(row: asyncpg.Record) -> RoomView:
    """From a row of rooms.rooms."""
    return RoomView(
        name=row["name"],
        topic=row["topic"],
        visibility=row["visibility"],
        max_participants=row["max_participants"],
        owner_id=str(row["owner_id"]),
        locked=row["locked"],
        slow_mode_s=row["slow_mode_s"],
        listen_only=row["listen_only"],
    )


def timer_of(row: asyncpg.Record) -> TimerView:
    """From a row of rooms.timers, or of nulls where there is none."""
    if row["state"] is None:
        return TimerView("stopped", FOCUS_SECONDS, BREAK_SECONDS, 0, 0)
    started_at = row["started_at"]
    return TimerView(
        state=row["state"],
        focus_s=row["focus_s"],
        break_s=row["break_s"],
        started_at_ms=int(started_at.timestamp() * 1000) if started_at else 0,
        elapsed_ms=row["elapsed_ms"],
    )
