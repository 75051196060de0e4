"""What rooms/store.py reads: rows as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


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
