"""What a speaker said last: one bounded history a Producer, for all who ask again and all who come late.

A listener's NACK is answered from it, and one who is given a slot in the middle of a word hears the word
from its start. Each packet is kept once, whoever gets it and in whatever numbering.
"""

from __future__ import annotations

from typing import Final, NamedTuple

#: Packets kept: 2.5 s of 20 ms frames. Full: the oldest goes. A power of two.
SIZE: Final = 128


class Packet(NamedTuple):
    """A voice packet as it is forwarded.

    `number` is the sequence number, extended so that it never wraps; `marker` is 0x80 or 0, `level` the
    octet of RFC 6464, `at` when it came. `opus` is the plain payload, `red` the whole one (RFC 2198) where
    the speaker sent it so.
    """

    number: int
    timestamp: int
    marker: int
    level: int | None
    opus: bytes
    red: bytes | None
    at: float


class History:
    """The last packets of one source (one SSRC of a speaker), by index.

    An index stands for one packet for ever: the first that came under it. What is repeated to a listener is
    therefore what was sent before, as AES-GCM demands.
    """

    __slots__ = ("_highest", "_ring", "contributor")

    def __init__(self, contributor: int = 0) -> None:
        #: The speaker's number, for the CSRC list of who hears it.
        self.contributor = contributor
        self._ring: list[Packet | None] = [None] * SIZE
        self._highest = -1

    def add(self, packet: Packet) -> bool:
        """Keeps the packet; False when its index was here, or would be older than all that is kept."""
        index = packet.number
        place = index & SIZE - 1
        if index > self._highest:
            self._highest = index
        elif index <= self._highest - SIZE or (
            (kept := self._ring[place]) is not None and kept.number == index
        ):
            return False
        self._ring[place] = packet
        return True

    def get(self, index: int) -> Packet | None:
        packet = self._ring[index & SIZE - 1]
        return packet if packet is not None and packet.number == index else None

    @property
    def newest(self) -> Packet | None:
        return self.get(self._highest)

    def latest(self, span: int) -> list[Packet]:
        """The packets of the last `span` timestamp units of the speaker's own time, in their order."""
        newest = self.newest
        if newest is None:
            return []
        # By index: the ring may hold packets of before a leap, which do not join on to those after it.
        kept = (self.get(index) for index in range(self._highest - SIZE + 1, self._highest + 1))
        return [
            packet
            for packet in kept
            if packet is not None and (newest.timestamp - packet.timestamp) & 0xFFFFFFFF < span
        ]

    def clear(self) -> None:
        """Forgets all of it. The owner sees to it that no index of before comes again."""
        self._ring = [None] * SIZE
