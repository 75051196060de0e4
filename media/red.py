"""Redundant audio (RFC 2198): a packet that carries the packets before it once more. Pure.

Only the block headers are read, never a voice. A payload that is not RED raises `NotRed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Blocks in one payload, the newest among them; browsers send two.
MAX_BLOCKS: Final = 8


class NotRed(ValueError):
    """The payload is not RED, or holds something else than the one codec."""


@dataclass(frozen=True, slots=True)
class Red:
    """`primary` is the packet's own voice. `earlier` is what it repeats, the packet right before it first,
    each with how far back its timestamp lies; an empty block is one that says nothing."""

    primary: bytes
    earlier: tuple[tuple[int, bytes], ...]


def read(payload: bytes, payload_type: int) -> Red:
    """Takes a RED payload apart, all blocks of which are of `payload_type`."""
    headers: list[tuple[int, int]] = []
    at = 0
    while at < len(payload) and payload[at] & 0x80:
        if at + 4 > len(payload) or len(headers) + 1 >= MAX_BLOCKS:
            raise NotRed("the block headers have no end")
        word = int.from_bytes(payload[at : at + 4], "big")
        if word >> 24 & 0x7F != payload_type:
            raise NotRed("a block of another codec")
        headers.append((word >> 10 & 0x3FFF, word & 0x3FF))
        at += 4
    if at >= len(payload) or payload[at] != payload_type:
        raise NotRed("the last block is missing, or of another codec")
    at += 1
    blocks: list[tuple[int, bytes]] = []
    for offset, size in headers:
        blocks.append((offset, payload[at : at + size]))
        at += size
    if at > len(payload):
        raise NotRed("a block is longer than the payload")
    return Red(payload[at:], tuple(reversed(blocks)))


def renumbered(payload: bytes, payload_type: int) -> bytes:
    """The same payload for a listener to whom the codec has another number; `read` has taken it before."""
    octets = bytearray(payload)
    at = 0
    while octets[at] & 0x80:
        octets[at] = 0x80 | payload_type
        at += 4
    octets[at] = payload_type
    return bytes(octets)
