"""One slot of a listener: the out-stream it is, and how it is written.

What the packet loop does for every packet and listener stands in its inner loop; here is the rest.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

from media import red
from media.history import Packet
from media.packet_loop import SlotNumbers
from media.rtp import HeaderWriter
from media.sequence import OutStream

if TYPE_CHECKING:
    from media.participant import Participant
    from media.uplink import Uplink

#: A packet is not repeated twice within this time, seconds: one that asks with every packet that comes
#: would otherwise get it many times over before the first repeat arrives.
PAUSE: Final = 0.03
#: Repeats remembered for that. Full: all are forgotten.
_REMEMBERED: Final = 256


class Again(NamedTuple):
    """A packet as it was first sent to the slot."""

    packet: Packet
    marker: int
    sequence: int
    timestamp: int
    contributor: int


class Downlink:
    """A Consumer: a slot of `listener`, which carries the voice of `source`.

    `stream` is its numbering, `write` its header, `packets` and `octets` what went out.
    """

    __slots__ = (
        "_repeated",
        "listener",
        "map",
        "octets",
        "packets",
        "payload_type",
        "red_payload_type",
        "source",
        "ssrc",
        "stream",
        "write",
    )

    def __init__(self, listener: Participant, numbers: SlotNumbers) -> None:
        self.listener = listener
        self.source: Uplink | None = None
        self.ssrc = numbers.ssrc
        self.payload_type = numbers.payload_type
        self.red_payload_type = numbers.red_payload_type
        self.stream = OutStream(secrets.randbelow(0x8000), secrets.randbits(32))
        self.map = self.stream.map
        self.write = HeaderWriter(
            ssrc=numbers.ssrc, mid=numbers.mid, mid_id=numbers.mid_id, level_id=numbers.level_id
        ).write
        self.packets = 0
        self.octets = 0
        self._repeated: dict[int, float] = {}

    def payload(self, packet: Packet) -> tuple[int, bytes]:
        """Payload type and payload of the packet for this listener: whole where it takes RED. (The packet
        loop does the same in line.)"""
        if packet.red is None or not self.red_payload_type:
            return self.payload_type, packet.opus
        return self.red_payload_type, red.renumbered(packet.red, self.payload_type)

    def again(self, sequence: int) -> Again | None:
        """What was sent under that number (16 bits); None when it is not kept."""
        found = self.stream.find(sequence)
        if found is None:
            return None
        run, index = found
        packet = run.source.get(index) if run.source is not None else None
        if packet is None or run.source is None:
            return None
        first = index + run.index_offset == run.first
        timestamp = (packet.timestamp + run.timestamp_offset) & 0xFFFFFFFF
        return Again(
            packet, packet.marker | (0x80 if first else 0), sequence, timestamp, run.source.contributor
        )

    def just_repeated(self, sequence: int, now: float) -> bool:
        """Whether that number went out again a moment ago; if not, it is taken to go out now."""
        if now - self._repeated.get(sequence, -PAUSE) < PAUSE:
            return True
        if len(self._repeated) >= _REMEMBERED:
            self._repeated.clear()
        self._repeated[sequence] = now
        return False
