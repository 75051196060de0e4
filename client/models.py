"""What there is: accounts, rooms, people, messages, the timer.

Ids are strings, a person's too. Moments are datetimes in UTC, lengths seconds.
What a later server adds is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]


def moment(unix: float) -> datetime:
    """Of unix seconds."""
    return datetime.fromtimestamp(unix, UTC)


def _moment_or_none(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True, slots=True)
class User:
    """An account: one's own."""

    id: str
    email: str
    display_name: str
    email_verified: bool

    @classmethod
    def read(cls, body: Json) -> User:
        return cls(str(body["id"]), body["email"], body["displayName"], body["emailVerified"])


@dataclass(frozen=True, slots=True)
class RoomInfo:
    """A room as REST lists it. `participants`: seats taken now. `role`: one's own; None of a stranger."""

    id: str
    name: str
    topic: str
    visibility: str
    max_participants: int
    participants: int
    unread: int
    owner_id: str
    locked: bool
    slow_mode_s: int
    listen_only: bool
    role: str | None
    created_at: datetime

    @classmethod
    def read(cls, body: Json) -> RoomInfo:
        return cls(
            id=body["id"],
            name=body["name"],
            topic=body["topic"],
            visibility=body["visibility"],
            max_participants=body["max_participants"],
            participants=body["participants"],
            unread=body["unread"],
            owner_id=str(body["owner_id"]),
            locked=body["locked"],
            slow_mode_s=body["slow_mode_s"],
            listen_only=body["listen_only"],
            role=body["role"],
            created_at=datetime.fromisoformat(body["created_at"]),
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """The room's own settings, as everybody in it is told them."""

    name: str
    topic: str
    visibility: str
    max_participants: int
    owner_id: str
    locked: bool
    slow_mode_s: int
    listen_only: bool

    @classmethod
    def read(cls, payload: Json) -> Settings:
        return cls(**{name: payload[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is in the room now. `muted_by`: "self", "moderator" or "". Hands: by `hand_raised_at`."""

    user_id: str
    display_name: str
    role: str
    joined_at: datetime
    muted: bool
    muted_by: str
    may_speak: bool
    hand_raised_at: datetime | None

    @classmethod
    def read(cls, payload: Json) -> Person:
        raised = payload["hand_raised_at"]
        return cls(
            user_id=payload["user_id"],
            display_name=payload["display_name"],
            role=payload["role"],
            joined_at=moment(payload["joined_at_unix"]),
            muted=payload["muted"],
            muted_by=payload["muted_by"],
            may_speak=payload["may_speak"],
            hand_raised_at=None if raised is None else moment(raised / 1000),
        )


@dataclass(frozen=True, slots=True)
class Timer:
    """The study timer. Running: the first cycle began at `started_at`. Paused: `elapsed_s` have passed."""

    state: str  # "stopped", "running", "paused"
    focus_s: int
    break_s: int
    started_at: datetime
    elapsed_s: float

    @classmethod
    def read(cls, payload: Json) -> Timer:
        return cls(
            state=payload["state"],
            focus_s=payload["focus_s"],
            break_s=payload["break_s"],
            started_at=moment(payload["started_at_ms"] / 1000),
            elapsed_s=payload["elapsed_ms"] / 1000,
        )

    def phase(self, now: datetime) -> tuple[str, float]:
        """What it shows at `now`: ("focus" or "break", the seconds left of it); ("", 0) when stopped."""
        if self.state == "stopped":
            return "", 0.0
        running = (now - self.started_at).total_seconds()
        at = (running if self.state == "running" else self.elapsed_s) % (self.focus_s + self.break_s)
        return (
            ("focus", self.focus_s - at) if at < self.focus_s else ("break", self.focus_s + self.break_s - at)
        )


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """A message as it is now, with what was put under it: emoji → user ids, the first one first."""

    seq: int
    id: str
    user_id: str
    display_name: str
    text: str
    sent_at: datetime
    reply_to: str | None
    edited_at: datetime | None
    deleted: bool
    reactions: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, body: Json) -> HistoryItem:
        return cls(
            seq=body["seq"],
            id=body["id"],
            user_id=body["user_id"],
            display_name=body["display_name"],
            text=body["text"],
            sent_at=datetime.fromisoformat(body["created_at"]),
            reply_to=body["reply_to"],
            edited_at=_moment_or_none(body["edited_at"]),
            deleted=body["deleted"],
            reactions={each["emoji"]: tuple(each["user_ids"]) for each in body["reactions"]},
        )


@dataclass(frozen=True, slots=True)
class Acked:
    """Saved, under `seq`. `duplicate`: it had been before. `msg_id` is of messages alone; else ""."""

    seq: int
    client_msg_id: str
    msg_id: str = ""
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where one stands in a room's log: behind the event `seq` of the history `epoch`."""

    epoch: str
    seq: int
