"""What replicas tell each other through Redis, and keep there: events as text, and notices.

JSON with its version in front. What is of another version, or cannot be read for any
other reason, is nobody's loss: a notice only makes others quicker, and what the cache
does not give is in PostgreSQL.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rooms.core.events import Edited, Event, Said
from rooms.core.gestures import Gesture
from rooms.frames.outgoing import PeerTyping, Reacted
from rooms.log.event_rows import body_of, columns_of

VERSION = 1
LONGEST_NOTICE = 100_000  # bytes; past it only the head is told

GESTURES: dict[str, type[Gesture]] = {PeerTyping.type: PeerTyping, Reacted.type: Reacted}


class Unreadable(Exception):
    """Not a notice or an event as this version writes them."""


@dataclass(frozen=True, slots=True)
class Notice:
    """`head`: the log reaches to it, `events`: and ends like this. `gesture`: to be shown now.

    Neither: who is in the room has changed.
    """

    replica: str
    epoch: str
    head: int = 0
    events: tuple[Event, ...] = ()
    gesture: Gesture | None = None


def write_notice(notice: Notice) -> str:
    events = [_packed(event) for event in notice.events]
    gesture = [notice.gesture.type, asdict(notice.gesture)] if notice.gesture else None
    text = _json([VERSION, notice.replica, notice.epoch, notice.head, events, gesture])
    if events and len(text.encode()) > LONGEST_NOTICE:
        return write_notice(Notice(notice.replica, notice.epoch, notice.head))
    return text


def read_notice(text: str) -> Notice:
    """Raises Unreadable."""
    try:
        version, replica, epoch, head, events, gesture = json.loads(text)
        if version != VERSION:
            raise Unreadable(f"version {version}")
        return Notice(str(replica), str(epoch), int(head), tuple(map(_unpacked, events)), _gesture(gesture))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise Unreadable(type(error).__name__) from None


def write_event(event: Event) -> str:
    return _json([VERSION, *_packed(event)])


def read_event(text: str) -> Event:
    """Raises Unreadable."""
    try:
        version, *packed = json.loads(text)
        if version != VERSION:
            raise Unreadable(f"version {version}")
        return _unpacked(packed)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise Unreadable(type(error).__name__) from None


def _packed(event: Event) -> list[Any]:
    kind, about, more = columns_of(event.body)
    packed: list[Any] = [
        event.seq,
        str(event.event_id),
        event.user_id,
        event.display_name,
        _micros(event.created_at),
        event.client_msg_id,
        kind,
        str(about) if about else None,
        more,
    ]
    match event.body:
        case Said(text, reply_to, edited_at, deleted):
            return [*packed, text, str(reply_to) if reply_to else None, _micros(edited_at), deleted]
        case Edited(_, text):
            return [*packed, text, None, None, False]
        case _:
            return [*packed, "", None, None, False]


def _unpacked(packed: list[Any]) -> Event:
    seq, event_id, user_id, display_name, created_at, client_msg_id, kind, about, more, *said = packed
    text, reply_to, edited_at, deleted = said
    return Event(
        seq=int(seq),
        event_id=UUID(event_id),
        user_id=int(user_id),
        display_name=str(display_name),
        created_at=_moment(created_at),
        body=body_of(
            kind,
            UUID(about) if about else None,
            more,
            text=str(text),
            reply_to=UUID(reply_to) if reply_to else None,
            edited_at=None if edited_at is None else _moment(edited_at),
            deleted=bool(deleted),
        ),
        client_msg_id=client_msg_id,
    )


def _gesture(packed: Any) -> Gesture | None:
    if packed is None:
        return None
    kind, fields = packed
    return GESTURES[kind](**fields)


def _micros(moment: datetime | None) -> int | None:
    """Whole microseconds, which is what PostgreSQL keeps: a float would round them."""
    if moment is None:
        return None
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1_000_000 + moment.microsecond


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
