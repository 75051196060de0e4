"""RTP on the wire: the header read in, and the header written out for one listener (RFC 3550, section 5.1).

Header extensions are of the one-byte form (RFC 8285, section 4.2). Two of them are understood: the audio
level (RFC 6464) and the media identification (RFC 9143, section 15), everything else is left behind at
the worker. All functions are pure; what is not RTP raises `NotRtp` and nothing else.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

AUDIO_LEVEL_URI: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
MID_URI: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"

MIN_HEADER: Final = 12
#: The longest payload that is forwarded, octets. An Ethernet frame leaves room for 1,460 of header,
#: payload and authentication tag.
MAX_PAYLOAD: Final = 1400
#: The quietest level of RFC 6464, -127 dBov: digital silence.
SILENT: Final = 127

_ONE_BYTE_PROFILE: Final = 0xBEDE
_HEADER: Final = struct.Struct(">BBHII")
_EXTENSION: Final = struct.Struct(">HH")


class NotRtp(ValueError):
    """The datagram is not an RTP packet of version 2."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the worker reads of a packet it got.

    `marker` is 0x80 or 0, as it stands in the second octet. `payload` and `end` are offsets into the
    packet, the padding already taken off. `level` is the octet of RFC 6464 (voice flag and -dBov), None
    without the extension.
    """

    payload_type: int
    marker: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: int
    end: int
    level: int | None


def parse(packet: bytes | memoryview, level_id: int) -> Header:
    """Reads a packet's header; `level_id` is the audio level's extension id in the sender's numbering
    (0: the sender has none)."""
    length = len(packet)
    if length < MIN_HEADER:
        raise NotRtp("shorter than a header")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(packet)
    if first & 0xC0 != 0x80:
        raise NotRtp("not version 2")
    payload = MIN_HEADER + 4 * (first & 0x0F)
    level = None
    if first & 0x10:
        if payload + 4 > length:
            raise NotRtp("the extension is cut off")
        profile, words = _EXTENSION.unpack_from(packet, payload)
        start = payload + 4
        payload = start + 4 * words
        if payload > length:
            raise NotRtp("the extension is cut off")
        if profile == _ONE_BYTE_PROFILE and level_id:
            level = _level(packet, start, payload, level_id)
    end = length
    if first & 0x20:
        padding = packet[length - 1]
        if padding == 0 or payload + padding > length:
            raise NotRtp("the padding is longer than the payload")
        end -= padding
    if payload > end:
        raise NotRtp("the list of contributors is cut off")
    return Header(second & 0x7F, second & 0x80, sequence, timestamp, ssrc, payload, end, level)


def _level(packet: bytes | memoryview, start: int, end: int, level_id: int) -> int | None:
    while start < end:
        octet = packet[start]
        if octet == 0:  # padding between elements
            start += 1
            continue
        if octet >> 4 == 15:  # reserved: stop reading
            return None
        size = (octet & 0x0F) + 1
        if octet >> 4 == level_id:
            return packet[start + 1] if start + 1 < end else None
        start += 1 + size
    return None


# The compiled layouts, by the length of what follows the level and by the payload's: some 5 times
# MAX_PAYLOAD at most, and all writers share them.
_PACKERS: Final[dict[int, dict[int, Callable[..., None]]]] = {}


class HeaderWriter:
    """Writes packets of one out-stream, in the numbering its listener negotiated.

    The extension ids are the listener's, 1 … 14, or 0 for one it does not know. Everything that stays
    the same from packet to packet is laid out once, so that a packet is a single `pack_into`.
    """

    __slots__ = ("_extension", "_level_element", "_packers", "_ssrc", "_tail", "size")

    def __init__(self, *, ssrc: int, mid: str, mid_id: int, level_id: int) -> None:
        tail = b""
        encoded = mid.encode("ascii")
        if mid_id and 1 <= len(encoded) <= 16:
            tail = bytes([mid_id << 4 | len(encoded) - 1]) + encoded
        tail += bytes(-(2 + len(tail)) % 4)
        self._ssrc = ssrc
        self._extension = _ONE_BYTE_PROFILE << 16 | (2 + len(tail)) // 4
        self._level_element = level_id << 4
        self._tail = tail
        #: Octets before the payload.
        self.size = MIN_HEADER + 4 + 4 + 2 + len(tail)
        self._packers = _PACKERS.setdefault(len(tail), {})

    def write(
        self,
        buffer: bytearray | memoryview,
        offset: int,
        second: int,
        sequence: int,
        timestamp: int,
        contributor: int,
        level: int | None,
        payload: bytes,
    ) -> int:
        """Writes header and payload at `offset`, and returns how many octets that made.

        `second` is the header's second octet, marker and payload type; `contributor` the one CSRC.
        """
        size = len(payload)
        packer = self._packers.get(size)
        if packer is None:
            packer = self._packers[size] = struct.Struct(f">BBHIIIIBB{len(self._tail)}s{size}s").pack_into
        # Two zero octets are padding (RFC 8285, section 4.2): that is what stands where a level would,
        # when the speaker sent none or the listener knows none, so that there is one layout.
        if level is None or not self._level_element:
            element = level = 0
        else:
            element = self._level_element
        packer(
            buffer,
            offset,
            0x91,
            second,
            sequence,
            timestamp,
            self._ssrc,
            contributor,
            self._extension,
            element,
            level,
            self._tail,
            payload,
        )
        return self.size + size
