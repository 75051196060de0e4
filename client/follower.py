"""Where one stands in a room's log, so that each event is taken once, in order. Pure.

Live, the event taken is always the next one. Whatever does not fit (a hole, since the server could
not replay so much; no room in the inbox) leaves the follower behind, and then it takes nothing live:
what is missing is read by pages, and when the newest that was heard of has been read it is live again.
"""

from __future__ import annotations

from dataclasses import dataclass

from client.models import Position


@dataclass
class Follower:
    """`seq` is the event taken last, of the history `epoch`; `heard` the newest that there is."""

    epoch: str = ""
    seq: int = 0
    heard: int = 0
    live: bool = True

    @property
    def position(self) -> Position | None:
        """To resume from; None before the first hello."""
        return Position(self.epoch, self.seq) if self.epoch else None

    def start(self, position: Position) -> None:
        self.epoch, self.seq, self.heard, self.live = position.epoch, position.seq, position.seq, True

    def greeted(self, epoch: str, last_seq: int) -> bool:
        """The server says where its log stands. Whether its history is another one than ours was."""
        if epoch == self.epoch:
            self.heard = max(self.heard, last_seq)
            return False
        changed = bool(self.epoch)
        self.start(Position(epoch, last_seq))
        return changed

    def replayed(self) -> None:
        """The server has sent all that it could of what was missing."""
        self.live = self.live and self.seq >= self.heard

    def hears(self, seq: int, *, room: bool) -> bool:
        """Whether to take the event `seq`, which came live; `room`: there is some for it."""
        self.heard = max(self.heard, seq)
        if not self.live or seq <= self.seq:
            return False
        self.live = room and seq == self.seq + 1
        if self.live:
            self.seq = seq
        return self.live

    def read(self, seq: int) -> None:
        """The event `seq`, or what stood up to it, has been read from a page."""
        self.seq = max(self.seq, seq)

    def caught_up(self) -> bool:
        """Whether there is nothing more to read; then it is live."""
        self.live = self.seq >= self.heard
        return self.live
