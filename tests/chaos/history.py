"""What a run leaves behind: what each client sent, was told and believes: the checker's food."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

# One clock for the whole run: what has a lower mark was over before what has a higher one began.
mark = itertools.count(1).__next__


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a room's log, by whoever did it, upon the message `msg_id`.

    Not compared: a text, which may be an older or a newer one of that message, and the
    client_msg_id, which only a `chat` tells.
    """

    seq: int
    msg_id: str
    user_id: int
    client_msg_id: str = field(compare=False)
    text: str = field(compare=False)
    kind: str = "chat"
    emoji: str = ""  # with + or - before it


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it stands now. `reactions`: who put which emoji."""

    text: str
    deleted: bool = False
    reactions: frozenset[tuple[str, int]] = frozenset()


def state(events: Iterable[Event]) -> dict[str, Message]:
    """What the messages are after these events: what a client shows."""
    found: dict[str, Message] = {}
    for event in events:
        before = found.get(event.msg_id, Message(""))
        by = event.emoji[1:], event.user_id
        match event.kind:
            case "chat":
                found[event.msg_id] = Message(event.text)
            case "chat_edited":
                found[event.msg_id] = replace(before, text=event.text)
            case "chat_deleted":
                found[event.msg_id] = Message("", deleted=True)
            case "chat_reaction" if not before.deleted:
                others = before.reactions - {by}
                put = {by} if event.emoji.startswith("+") else set()
                found[event.msg_id] = replace(before, reactions=others | put)
    return found


@dataclass(slots=True)
class Send:
    """Something a client wants said. It is sent again until it is acked, unless it is `abandoned`."""

    client_msg_id: str
    text: str
    kind: str = "chat"  # of the event that comes of it
    frame: dict[str, Any] = field(default_factory=dict)  # where it is no `chat`
    first_sent: int = 0  # a mark; 0: not yet
    said_at: float = 0.0  # by the loop's clock
    tries: int = 0
    acked: int = 0  # the mark of the first ack
    abandoned: bool = False


@dataclass(frozen=True, slots=True)
class Ack:
    """What the server promised. Without `msg_id` where it is no message."""

    epoch: str
    client_msg_id: str
    msg_id: str
    seq: int
    duplicate: bool


@dataclass(slots=True)
class Stretch:
    """Events as they came over one connection: each after `from_seq`, once, in order, says the contract."""

    epoch: str
    from_seq: int
    events: list[Event] = field(default_factory=list)


@dataclass
class History:
    """One client in one room. `applied` is the log of `epoch` as it believes it to be."""

    user_id: int
    room_id: str
    epoch: str = ""
    sends: dict[str, Send] = field(default_factory=dict)
    acks: list[Ack] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    applied: list[Event] = field(default_factory=list)

    @property
    def last_seq(self) -> int:
        return self.applied[-1].seq if self.applied else 0
