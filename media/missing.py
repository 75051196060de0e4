"""Which packets of a speaker are missing, and when to ask for them (RFC 4585). Pure; times in seconds.

A packet is asked for as soon as a later one shows that it is missing and redundancy has not filled its
place, and again while there is hope: a voice packet that comes after half a second is of no use.
"""

from __future__ import annotations

from typing import Final

#: How far back a missing packet is worth asking for, packets. This bounds the memory too.
WORTH: Final = 25
#: From one question to the next, and how often in all.
AGAIN: Final = 0.04
TIMES: Final = 6


class Missing:
    """The missing packets of one source. `wanted` has them by index."""

    __slots__ = ("wanted",)

    def __init__(self) -> None:
        #: index → how often it was asked for, and when to ask next.
        self.wanted: dict[int, tuple[int, float]] = {}

    def gap(self, last: int, index: int, now: float) -> None:
        """`index` came where `last + 1` was due."""
        for missing in range(max(last + 1, index - WORTH), index):
            self.wanted[missing] = (0, now)

    def came(self, index: int) -> bool:
        """The packet is there after all. Whether it had been asked for."""
        asked, _ = self.wanted.pop(index, (0, 0.0))
        return asked > 0

    def due(self, highest: int, now: float) -> list[int]:
        """The indexes to ask for now; `highest` is the newest that came."""
        asking = []
        for index, (asked, at) in list(self.wanted.items()):
            if asked >= TIMES or index < highest - WORTH:
                del self.wanted[index]
            elif at <= now:
                self.wanted[index] = (asked + 1, now + AGAIN)
                asking.append(index)
        return asking

    def clear(self) -> None:
        self.wanted.clear()
