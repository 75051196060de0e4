"""What one participant sends: received, put in order, kept, and made ready for those who listen.

No socket and no key: a packet comes in with its header read, and what is to be forwarded because of it
goes out, the packet itself and those that its redundancy fills in. A mute is obeyed before anything else
looks at a packet.
"""

from __future__ import annotations

import math
from typing import Final

from media import red, rtp
from media.downlink import Downlink
from media.history import History, Packet
from media.missing import Missing
from media.packet_loop import Counters, Drop, TransportNumbers
from media.reception import Reception
from media.sequence import OPUS_CLOCK

#: As loud as this, -dBov, is speech …
SPEECH: Final = 50
#: … if the packet is as long as this, octets: what Opus sends in a silence is shorter, whatever level its
#: sender claims for it.
MIN_SPEECH: Final = 4
#: After so much speech without a break somebody has begun to speak, timestamp units: 40 ms, and the packet
#: that makes them full. A click is shorter.
ONSET: Final = 1920
#: Who is given the voice in the middle of a word hears so much of what was said, timestamp units: 100 ms; …
RING: Final = 4800
#: … and a word from its start, with this before it for a soft beginning, when it began so lately, seconds.
_SOFT: Final = 1920
_LATELY: Final = 0.1


class Uplink:
    """One speaker."""

    __slots__ = (
        "_counters",
        "_first",
        "_numbers",
        "_speaks",
        "_speaks_from",
        "_word",
        "begins",
        "history",
        "loudest",
        "missing",
        "muted",
        "reception",
        "routes",
    )

    def __init__(self, numbers: TransportNumbers, counters: Counters) -> None:
        self._numbers = numbers
        self._counters = counters
        self.muted = False
        self.reception: Reception | None = None
        self.history = History(numbers.contributor)
        self.missing = Missing()
        #: The smallest -dBov since the owner last took it away.
        self.loudest: int | None = None
        #: The packet just taken is the one with which it has begun to speak.
        self.begins = False
        self._speaks = False
        self._speaks_from: int | None = None
        #: The timestamp of the word's start, and when it was known for one.
        self._word = (0, -math.inf)
        #: No packet below this index is taken or passed on, in redundancy neither.
        self._first = 0
        #: The slots it is heard in.
        self.routes: list[Downlink] = []

    def set_muted(self, muted: bool) -> None:
        if self.muted and not muted:
            if self.reception is not None:
                self._first = self.reception.highest + 1
            self._switch()
        self.muted = muted
        if muted:
            self.forget()

    def forget(self) -> None:
        """Nothing that was said so far goes out again."""
        self.history.clear()
        self.missing.clear()
        self.loudest = None
        self.begins = self._speaks = False
        self._speaks_from = None

    def just_said(self) -> list[Packet]:
        """What somebody has to get who is given the voice now, in order. However unevenly the packets come, a
        word that has just begun is there from its start."""
        newest = self.history.newest
        if newest is None:
            return []
        start, known_at = self._word
        span = RING
        if newest.at - known_at < _LATELY:
            span = max(span, ((newest.timestamp - start) & 0xFFFFFFFF) + _SOFT + 1)
        return self.history.latest(span)

    def due(self, now: float) -> list[int]:
        """The sequence numbers to ask the speaker for now."""
        if self.reception is None:
            return []
        return [index & 0xFFFF for index in self.missing.due(self.reception.highest, now)]

    def take(self, header: rtp.Header, packet: bytes, now: float) -> list[Packet]:
        """Takes an authentic packet, and returns what to forward, in order."""
        drops = self._counters.drops
        size = header.end - header.payload
        is_red = header.payload_type == self._numbers.red_payload_type and header.payload_type != 0
        if not is_red and header.payload_type != self._numbers.payload_type:
            drops[Drop.UNEXPECTED] += 1
            return []
        if not 0 < size <= rtp.MAX_PAYLOAD:
            drops[Drop.TOO_LONG if size else Drop.EMPTY] += 1
            return []
        self._counters.received += 1
        index = self._receive(header, now)
        if self.muted or index < self._first:
            drops[Drop.MUTED if self.muted else Drop.LATE] += 1
            return []
        payload = packet[header.payload : header.end]
        if is_red:
            return self._take_red(header, index, payload, now)
        return self._keep(Packet(index, header.timestamp, header.marker, header.level, payload, None, now))

    def _receive(self, header: rtp.Header, now: float) -> int:
        """The packet's index; what is missing before it is noted."""
        reception = self.reception
        if reception is None or reception.ssrc != header.ssrc:
            reception = self.reception = Reception(header.ssrc, header.sequence, OPUS_CLOCK)
            # Indexes start anew, and none may stand for two packets: nobody is answered from the old ones.
            self.forget()
            self.history = History(self._numbers.contributor)
            self._first = reception.highest
            self._switch()
        newest = reception.highest
        index, jumped = reception.extend(header.sequence)
        if index <= newest and self.missing.came(index):
            reception.repeated()
            return index
        reception.arrived(header.timestamp, now)
        if jumped:
            self.missing.clear()
            self._switch()
        elif index > newest + 1 and not self.muted:
            self.missing.gap(newest, index, now)
        return index

    def _take_red(self, header: rtp.Header, index: int, payload: bytes, now: float) -> list[Packet]:
        drops = self._counters.drops
        try:
            parts = red.read(payload, self._numbers.payload_type or 0)
        except red.NotRed:
            drops[Drop.MALFORMED] += 1
            return []
        if not parts.primary:
            drops[Drop.EMPTY] += 1
            return []
        packets = []
        for back, (offset, block) in enumerate(parts.earlier, 1):
            earlier = index - back
            if block and earlier in self.missing.wanted and earlier >= self._first:
                self.missing.came(earlier)
                timestamp = (header.timestamp - offset) & 0xFFFFFFFF
                packets += self._keep(Packet(earlier, timestamp, 0, header.level, block, None, now))
        self._counters.recovered += len(packets)
        packets.reverse()
        # What was said while muted must not come out in the redundancy of the first packets after it.
        whole = payload if index - len(parts.earlier) >= self._first else None
        packets += self._keep(
            Packet(index, header.timestamp, header.marker, header.level, parts.primary, whole, now)
        )
        return packets

    def _keep(self, packet: Packet) -> list[Packet]:
        if not self.history.add(packet):
            self._counters.drops[Drop.LATE] += 1
            return []
        level = packet.level
        if level is not None:
            level = level & 0x7F if len(packet.opus) >= MIN_SPEECH else rtp.SILENT
            if self.loudest is None or level < self.loudest:
                self.loudest = level
            self.begins = False
            if level > SPEECH:
                self._speaks = False
                self._speaks_from = None
            elif self._speaks_from is None:
                self._speaks_from = packet.timestamp
            elif not self._speaks and ONSET <= (packet.timestamp - self._speaks_from) & 0xFFFFFFFF < 1 << 31:
                self._speaks = self.begins = True
                self._word = (self._speaks_from, packet.at)
        return [packet]

    def _switch(self) -> None:
        for out in self.routes:
            out.stream.switch(self.history)
