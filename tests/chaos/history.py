"""What a run leaves behind: what each client sent, was told and believes: the checker's food."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

# One clock for the whole run: what has a lower mark was over before what has a higher one began.
mark = itertools.count(1).__next__


@dataclass(frozen=True, slots=True)
class Event:
    """One message of a room's log."""

    seq: int
    msg_id: str
    user_id: int
    client_msg_id: str
    text: str


@dataclass(slots=True)
class Send:
    """Something a client wants said. It is sent again until it is acked, unless it is `abandoned`."""

    client_msg_id: str
    text: str
    first_sent: int = 0  # a mark; 0: not yet
    tries: int = 0
    acked: int = 0  # the mark of the first ack
    abandoned: bool = False


@dataclass(frozen=True, slots=True)
class Ack:
    """What the server promised."""

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
