"""The few RTCP packets the worker speaks for itself (RFC 3550, section 6): sender and receiver reports
with their SDES. A listener's RTCP is never passed on. Pure; what is not RTCP reads as nothing."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from media.reception import ReportBlock

SENDER_REPORT: Final = 200
RECEIVER_REPORT: Final = 201
SOURCE_DESCRIPTION: Final = 202
#: Seconds from the NTP era's start (1900) to the Unix epoch (1970).
NTP_EPOCH: Final = 2_208_988_800

_BLOCK: Final = struct.Struct(">IB3sIIII")
_MAX_BLOCKS: Final = 31


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """One of our streams in a sender report. `wall` is Unix time in seconds, `timestamp` the RTP time that
    belongs to it."""

    ssrc: int
    wall: float
    timestamp: int
    packets: int
    octets: int


def sender_report(info: SenderInfo) -> bytes:
    """RFC 3550, section 6.4.1, without report blocks."""
    ntp = int((info.wall + NTP_EPOCH) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF
    return struct.pack(
        ">BBHIQIII",
        0x80,
        SENDER_REPORT,
        6,
        info.ssrc,
        ntp,
        info.timestamp,
        info.packets & 0xFFFFFFFF,
        info.octets & 0xFFFFFFFF,
    )


def receiver_report(ssrc: int, blocks: Iterable[ReportBlock]) -> bytes:
    """RFC 3550, section 6.4.2; `ssrc` is our own. Blocks past the 31st are left out."""
    body = b"".join(
        _BLOCK.pack(
            block.ssrc,
            block.fraction_lost,
            (block.cumulative_lost & 0xFFFFFF).to_bytes(3, "big"),
            block.highest,
            block.jitter,
            block.last_report,
            block.delay,
        )
        for block in list(blocks)[:_MAX_BLOCKS]
    )
    count = len(body) // _BLOCK.size
    return struct.pack(">BBHI", 0x80 | count, RECEIVER_REPORT, 1 + len(body) // 4, ssrc) + body


def source_description(ssrc: int, cname: str) -> bytes:
    """RFC 3550, section 6.5, with the CNAME that every compound packet has to carry."""
    encoded = cname.encode("ascii")
    chunk = struct.pack(">IBB", ssrc, 1, len(encoded)) + encoded
    chunk += bytes(4 - len(chunk) % 4)
    return struct.pack(">BBH", 0x81, SOURCE_DESCRIPTION, len(chunk) // 4) + chunk


def sender_reports(compound: bytes) -> Iterator[tuple[int, int]]:
    """The (SSRC, middle 32 bits of the NTP time) of each sender report in a compound packet."""
    offset = 0
    while offset + 8 <= len(compound):
        first, kind, words = struct.unpack_from(">BBH", compound, offset)
        end = offset + 4 + 4 * words
        if first & 0xC0 != 0x80 or end > len(compound):
            return
        if kind == SENDER_REPORT and words >= 6:
            ssrc, ntp = struct.unpack_from(">IQ", compound, offset + 4)
            yield ssrc, (ntp >> 16) & 0xFFFFFFFF
        offset = end
