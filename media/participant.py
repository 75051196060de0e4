"""A participant as the packet loop in Python holds it: what it sends, and where its slots go."""

from __future__ import annotations

from typing import Any, Final

from media import srtp
from media.address import Path
from media.datagrams import Outbox, PacketSocket, Target
from media.downlink import Downlink
from media.packet_loop import Counters, TransportNumbers
from media.uplink import Uplink

#: Packets a second a speaker may send: Opus frames of 2.5 ms make 400. Past it, they are dropped.
MAX_RATE: Final = 500
#: Packets a second a listener is sent once more. Past it, questions go unanswered.
MAX_REPEATS: Final = 200
#: SSRCs a participant may use in its life, since libsrtp keeps state for each. Full: new ones are dropped.
MAX_SSRCS: Final = 16


class Allowance:
    """So many a second, and no more. Who has asked `spent` adds to `used` itself."""

    __slots__ = ("_most", "_start", "used")

    def __init__(self, most: int) -> None:
        self._most = most
        self._start = 0.0
        self.used = 0

    def spent(self, now: float) -> bool:
        if now - self._start >= 1.0:
            self._start = now
            self.used = 0
        return self.used >= self._most


class Participant:
    """One transport, with its keys and its address as they become known."""

    __slots__ = (
        "contexts",
        "heard_at",
        "id",
        "level_id",
        "outbox",
        "outs",
        "path",
        "rate",
        "repeats",
        "socket",
        "spoke_at",
        "ssrcs",
        "target",
        "to",
        "transmit",
        "uplink",
    )

    def __init__(self, number: int, numbers: TransportNumbers, counters: Counters) -> None:
        self.id = number
        self.level_id = numbers.level_id
        self.uplink = Uplink(numbers, counters)
        self.contexts: srtp.Contexts | None = None
        self.transmit: Any = None
        self.ssrcs: set[int] = set()
        self.rate = Allowance(MAX_RATE)
        self.repeats = Allowance(MAX_REPEATS)
        self.heard_at: float | None = None
        self.spoke_at: float | None = None
        self.outs = {slot.mid: Downlink(self, slot) for slot in numbers.slots}
        self.path: Path | None = None
        self.target: Target | None = None
        self.socket: PacketSocket | None = None
        # Set once there are keys and a path: what the loop needs to send here.
        self.outbox: Outbox | None = None
        self.to = 0

    def make_ready(self) -> None:
        """To be called when keys or path are new."""
        if self.contexts is not None and self.target is not None and self.socket is not None:
            self.transmit = self.contexts.transmit
            self.to = self.target.pointer
            self.outbox = self.socket.outbox

    def admits(self, ssrc: int) -> bool:
        """Whether it may send under this SSRC."""
        return ssrc in self.ssrcs or len(self.ssrcs) < MAX_SSRCS
