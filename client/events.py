"""What happens in a room, as it is told: one frozen dataclass an event.

Those of the log have a `seq`, one more than that of the event before; each comes once, in this
order. The others come as they happen and are kept nowhere. The last two are the client's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from client.errors import ProtocolError
from client.models import Json, Person, Settings, Timer, moment

# --- of the log


@dataclass(frozen=True, slots=True)
class Message:
    """Something was said. Replayed it is as it is now: with the newer text, or `deleted` and without one."""

    seq: int
    id: str
    user_id: str
    display_name: str
    text: str
    sent_at: datetime
    client_msg_id: str | None
    reply_to: str | None
    edited_at: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class MessageEdited:
    seq: int
    msg_id: str
    user_id: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """`user_id`: who did it."""

    seq: int
    msg_id: str
    user_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MessageReaction:
    """An emoji was put under a message, or taken away."""

    seq: int
    msg_id: str
    user_id: str
    emoji: str
    added: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Moderated:
    """`by` did `action` to `user_id`: mute, unmute, kick, ban (`until`; None: for good), unban, role."""

    seq: int
    user_id: str
    by: str
    action: str
    role: str | None
    until: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RoomUpdated:
    """The room's settings, all of them, after `user_id` changed some."""

    seq: int
    user_id: str
    settings: Settings
    at: datetime


@dataclass(frozen=True, slots=True)
class TimerChanged:
    """The study timer, after `user_id` started, paused or stopped it."""

    seq: int
    user_id: str
    timer: Timer
    at: datetime


LogEvent: TypeAlias = (
    Message | MessageEdited | MessageDeleted | MessageReaction | Moderated | RoomUpdated | TimerChanged
)

# --- as it happens


@dataclass(frozen=True, slots=True)
class PersonJoined:
    """Somebody came; also who came while the connection was away."""

    person: Person


@dataclass(frozen=True, slots=True)
class PersonLeft:
    """Somebody left, or was lost for 8 s; also while the connection was away."""

    person: Person


@dataclass(frozen=True, slots=True)
class PersonUpdated:
    """Somebody's mute, role, hand or name changed."""

    person: Person


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody writes, or has stopped. Forget it 5 s after the last."""

    user_id: str
    display_name: str
    typing: bool


@dataclass(frozen=True, slots=True)
class Reaction:
    """Somebody's emoji, for a moment; one's own comes too."""

    user_id: str
    emoji: str


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who speaks now, with the level, 0 to 127: who has the floor first, then the loudest."""

    levels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Quality:
    """How one's own voice does: `rtt_s` None when not known, `loss` 0 to 1, `mos` 1 bad to 4.5 best."""

    rtt_s: float | None
    loss: float
    jitter_s: float
    mos: float


# --- the client's own


@dataclass(frozen=True, slots=True)
class Missed:
    """The events after `after` up to `up_to` are not to be had any more; what follows is whole."""

    after: int
    up_to: int


@dataclass(frozen=True, slots=True)
class HistoryChanged:
    """A backup was restored: no old `seq` means anything. Events go on after `last_seq` of `epoch`."""

    epoch: str
    last_seq: int


PassingEvent: TypeAlias = PersonJoined | PersonLeft | PersonUpdated | Typing | Reaction | Speakers | Quality
Event: TypeAlias = LogEvent | PassingEvent | Missed | HistoryChanged


def _message(seq: int, it: Json) -> Message:
    edited = it.get("edited_at_unix")
    return Message(
        seq=seq,
        id=it["msg_id"],
        user_id=it["user_id"],
        display_name=it["display_name"],
        text=it["message"],
        sent_at=moment(it["ts_unix"]),
        client_msg_id=it["client_msg_id"],
        reply_to=it["reply_to"],
        edited_at=None if edited is None else moment(edited),
        deleted=it.get("deleted", False),
    )


def _moderated(seq: int, it: Json) -> Moderated:
    until = it["until_unix"]
    return Moderated(
        seq=seq,
        user_id=it["user_id"],
        by=it["by"],
        action=it["action"],
        role=it["role"],
        until=None if until is None else moment(until),
        at=moment(it["ts_unix"]),
    )


_LOG: dict[str, Callable[[int, Json], LogEvent]] = {
    "chat": _message,
    "chat_edited": lambda seq, it: MessageEdited(
        seq, it["msg_id"], it["user_id"], it["message"], moment(it["ts_unix"])
    ),
    "chat_deleted": lambda seq, it: MessageDeleted(seq, it["msg_id"], it["user_id"], moment(it["ts_unix"])),
    "chat_reaction": lambda seq, it: MessageReaction(
        seq, it["msg_id"], it["user_id"], it["emoji"], it["added"], moment(it["ts_unix"])
    ),
    "moderated": _moderated,
    "room_updated": lambda seq, it: RoomUpdated(
        seq, it["user_id"], Settings.read(it["room"]), moment(it["ts_unix"])
    ),
    "timer": lambda seq, it: TimerChanged(seq, it["user_id"], Timer.read(it["timer"]), moment(it["ts_unix"])),
}

_PASSING: dict[str, Callable[[Json], PassingEvent]] = {
    "typing": lambda it: Typing(it["user_id"], it["display_name"], it["typing"]),
    "reaction": lambda it: Reaction(it["user_id"], it["emoji"]),
    "speakers": lambda it: Speakers({each["user_id"]: each["level"] for each in it["speakers"]}),
    "quality": lambda it: Quality(
        None if it["rtt_ms"] is None else it["rtt_ms"] / 1000, it["loss"], it["jitter_ms"] / 1000, it["mos"]
    ),
}


def read_log_event(frame: Mapping[str, Any]) -> LogEvent | None:
    """Of a frame with a `seq`; None for one of a type that this client does not know."""
    read = _LOG.get(frame["type"])
    try:
        return read and read(frame["seq"], frame["payload"])
    except (KeyError, TypeError, ValueError) as wrong:
        raise ProtocolError(f"cannot read a frame of type {frame['type']}: {wrong!r}") from wrong


def read_passing_event(frame: Mapping[str, Any]) -> PassingEvent | None:
    """Of a frame without one. Who is here is in client/presence.py."""
    read = _PASSING.get(frame["type"])
    return read and read(frame["payload"])
