"""The events of a room's log: what happened, in the order of `seq`, as it was saved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from rooms.frames.outgoing import (
    ChatDeleted,
    ChatEdited,
    ChatReacted,
    ChatSaid,
    LogMessage,
    Moderated,
    RoomUpdated,
    RoomView,
    TimerChanged,
    TimerView,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A message, with the text it has now. The event's id is the message's."""

    text: str
    reply_to: UUID | None = None
    edited_at: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """`text` is the message's when this was read, so of several edits the log shows the last."""

    msg_id: UUID
    text: str


@dataclass(frozen=True, slots=True)
class Deleted:
    msg_id: UUID


@dataclass(frozen=True, slots=True)
class Reacted:
    msg_id: UUID
    emoji: str
    added: bool


@dataclass(frozen=True, slots=True)
class Ruled:
    """A moderator's action upon `user_id`; see incoming.Moderate."""

    user_id: int
    action: str
    role: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """The room's settings after the change, all of them."""

    room: RoomView


@dataclass(frozen=True, slots=True)
class Timed:
    """The study timer after the change."""

    timer: TimerView


Body: TypeAlias = Changed | Deleted | Edited | Reacted | Ruled | Said | Timed


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the log. `user_id` is who did it."""

    seq: int
    event_id: UUID
    user_id: int
    display_name: str
    created_at: datetime
    body: Body
    client_msg_id: str | None = None


def announcement(room_id: str, event: Event) -> LogMessage:
    """What clients are told of an event."""
    user_id, at = str(event.user_id), int(event.created_at.timestamp())
    match event.body:
        case Said(text, reply_to, edited_at, deleted):
            return ChatSaid(
                room_id=room_id,
                user_id=user_id,
                message=text,
                msg_id=str(event.event_id),
                ts_unix=at,
                display_name=event.display_name,
                client_msg_id=event.client_msg_id,
                reply_to=str(reply_to) if reply_to else None,
                edited_at_unix=int(edited_at.timestamp()) if edited_at else None,
                deleted=deleted,
            )
        case Edited(msg_id, text):
            return ChatEdited(room_id, user_id, str(msg_id), text, at)
        case Deleted(msg_id):
            return ChatDeleted(room_id, user_id, str(msg_id), at)
        case Reacted(msg_id, emoji, added):
            return ChatReacted(room_id, user_id, str(msg_id), emoji, added, at)
        case Ruled(whom, action, role, until):
            ends = int(until.timestamp()) if until else None
            return Moderated(room_id, str(whom), user_id, action, role, ends, at)
        case Changed(room):
            return RoomUpdated(room_id, user_id, room, at)
        case Timed(timer):
            return TimerChanged(room_id, user_id, timer, at)
