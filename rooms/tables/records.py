"""What is read from the tables: rows as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from rooms.core.timer import UNSET
from rooms.frames.outgoing import RoomView, TimerView


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """A room as somebody sees it: `participants` seats taken, `unread` after that person's marker.

    `role` is that person's own, "" for who is no member.
    """

    id: UUID
    name: str
    topic: str
    visibility: str
    max_participants: int
    owner_id: int
    created_at: datetime
    participants: int
    unread: int
    locked: bool
    slow_mode_s: int
    listen_only: bool
    role: str

    @property
    def is_member(self) -> bool:
        return bool(self.role)

    def view(self) -> RoomView:
        """As everybody in it may know it."""
        return RoomView(
            name=self.name,
            topic=self.topic,
            visibility=self.visibility,
            max_participants=self.max_participants,
            owner_id=str(self.owner_id),
            locked=self.locked,
            slow_mode_s=self.slow_mode_s,
            listen_only=self.listen_only,
        )


@dataclass(frozen=True, slots=True)
class SeatRecord:
    """Somebody who has a seat; `online`: with a websocket."""

    user_id: int
    display_name: str
    role: str
    muted_by: str
    hand_raised_at: datetime | None
    taken_at: datetime
    seen_at: datetime
    online: bool


@dataclass(frozen=True, slots=True)
class ChatRecord:
    """A message of the history; a deleted one has no text. `reactions`: each emoji, and who put it."""

    id: UUID
    seq: int
    user_id: int
    display_name: str
    text: str
    created_at: datetime
    reply_to: UUID | None
    edited_at: datetime | None
    deleted: bool
    reactions: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class BanRecord:
    """A ban that is in force; `until` None: until it is lifted."""

    user_id: int
    display_name: str
    by_id: int
    created_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class InviteRecord:
    """An invite; `expires_at` None: never, `max_uses` None: any number."""

    code: str
    room_id: UUID
    created_by: int
    created_at: datetime
    expires_at: datetime | None
    max_uses: int | None
    uses: int


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
        return UNSET
    started_at = row["started_at"]
    return TimerView(
        state=row["state"],
        focus_s=row["focus_s"],
        break_s=row["break_s"],
        started_at_ms=round(started_at.timestamp() * 1000) if started_at else 0,
        elapsed_ms=row["elapsed_ms"],
    )
