"""A participant as the packet loop in Python holds it: what it sends, and where its slots go."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from media import rtp, srtp
from media.address import Path
from media.datagrams import Outbox, PacketSocket, Target
from media.downlink import Downlink
from media.packet_loop import BURSTS, Counters, Rates, TransportNumbers
from media.uplink import Uplink

#: Packets a second a listener is sent once more. Past it, questions go unanswered.
MAX_REPEATS: Final = 200
#: Packets a second it may ask for, found or not: Chromium asks with every packet for all that it misses.
MAX_QUESTIONS: Final = 2000
#: SSRCs a participant may use in its life, since libsrtp keeps state for each. Full: new ones are dropped.
MAX_SSRCS: Final = 16


class Allowance:
    """So many a second, and no more than `burst` at once (without: a second's). Who has asked `spent` adds to
    `used` itself; what is used comes back evenly, so that at no moment many can come at once again."""

    __slots__ = ("_at", "_burst", "_rate", "used")

    def __init__(self, rate: int, burst: int | None = None) -> None:
        self._rate = rate
        self._burst = rate if burst is None else burst
        self._at = 0.0
        self.used = 0.0

    def spent(self, now: float) -> bool:
        if now > self._at:
            self.used = max(0.0, self.used - (now - self._at) * self._rate)
            self._at = now
        return self.used >= self._burst


class Participant:
    """One transport, with its keys and its address as they become known."""

    __slots__ = (
        "_poll",
        "_taken",
        "contexts",
        "heard_at",
        "id",
        "level_id",
        "octets",
        "outbox",
        "outs",
        "packets",
        "path",
        "questions",
        "repeats",
        "socket",
        "spoke_at",
        "ssrcs",
        "target",
        "to",
        "transmit",
        "uplink",
        "waiting",
    )

    def __init__(
        self,
        number: int,
        numbers: TransportNumbers,
        counters: Counters,
        rates: Rates = Rates(),  # noqa: B008  # frozen
    ) -> None:
        self.id = number
        self.level_id = numbers.level_id
        self.uplink = Uplink(numbers, counters)
        #: Packets whose turn has not come, with when they came; the loop sees to it that they are no more
        #: than may come at once.
        self.waiting: deque[tuple[rtp.Header, bytes, float]] = deque()
        self._poll = self._taken = 0
        self.contexts: srtp.Contexts | None = None
        self.transmit: Any = None
        self.ssrcs: set[int] = set()
        self.packets = Allowance(rates.packets, rates.at_once)
        self.octets = Allowance(rates.octets, rates.octets // BURSTS)
        self.repeats = Allowance(MAX_REPEATS)
        self.questions = Allowance(MAX_QUESTIONS)
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

    def gets_a_turn(self, poll: int, most: int) -> bool:
        """Whether it had fewer than `most` in this poll; if so, it is taken to have one more."""
        if self._poll != poll:
            self._poll, self._taken = poll, 0
        self._taken += 1
        return self._taken <= most

    def admits(self, ssrc: int) -> bool:
        """Whether it may send under this SSRC."""
        return ssrc in self.ssrcs or len(self.ssrcs) < MAX_SSRCS

    def may_send(self, now: float) -> bool:
        """Whether it has not sent too much this second."""
        return not (self.packets.spent(now) or self.octets.spent(now))

    def has_sent(self, octets: int) -> None:
        """A packet of its own: what others send under its address does not count."""
        self.packets.used += 1
        self.octets.used += octets
