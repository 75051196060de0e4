"""The few RTCP packets the worker speaks for itself: sender and receiver reports with their SDES (RFC 3550,
section 6), and the question for missing packets (RFC 4585, section 6.2.1). A listener's RTCP is never passed
on. Pure; what is not RTCP reads as nothing."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from media.reception import ReportBlock

SENDER_REPORT: Final = 200
RECEIVER_REPORT: Final = 201
SOURCE_DESCRIPTION: Final = 202
TRANSPORT_FEEDBACK: Final = 205
GENERIC_NACK: Final = 1
#: Seconds from the NTP era's start (1900) to the Unix epoch (1970).
NTP_EPOCH: Final = 2_208_988_800

_BLOCK: Final = struct.Struct(">IB3sIIII")
_MAX_BLOCKS: Final = 31
#: Where report blocks begin in a packet.
_BLOCKS_AT: Final = {SENDER_REPORT: 28, RECEIVER_REPORT: 8}
#: Entries read of one question for packets, each of them up to 17 packets.
_MAX_ENTRIES: Final = 64


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
    return struct.pack(
        ">BBHIQIII",
        0x80,
        SENDER_REPORT,
        6,
        info.ssrc,
        _ntp(info.wall),
        info.timestamp,
        info.packets & 0xFFFFFFFF,
        info.octets & 0xFFFFFFFF,
    )


def _ntp(wall: float) -> int:
    return int((wall + NTP_EPOCH) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def ntp_middle(wall: float) -> int:
    """What the answers to a sender report of that time name it by."""
    return _ntp(wall) >> 16 & 0xFFFFFFFF


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


def nack(ssrc: int, media_ssrc: int, sequences: Iterable[int]) -> bytes:
    """Asks the sender of `media_ssrc` for the packets with these sequence numbers (16 bits) once more."""
    entries: list[tuple[int, int]] = []
    for sequence in sequences:
        step = (sequence - entries[-1][0]) & 0xFFFF if entries else 0
        if 1 <= step <= 16:
            first, following = entries[-1]
            entries[-1] = first, following | 1 << step - 1
        else:
            entries.append((sequence, 0))
    body = b"".join(struct.pack(">HH", first, following) for first, following in entries)
    return (
        struct.pack(">BBHII", 0x80 | GENERIC_NACK, TRANSPORT_FEEDBACK, 2 + len(entries), ssrc, media_ssrc)
        + body
    )


def sender_reports(compound: bytes) -> Iterator[tuple[int, int]]:
    """The (SSRC, middle 32 bits of the NTP time) of each sender report in a compound packet."""
    for kind, _, start, end in _packets(compound):
        if kind == SENDER_REPORT and end - start >= 28:
            ssrc, ntp = struct.unpack_from(">IQ", compound, start + 4)
            yield ssrc, (ntp >> 16) & 0xFFFFFFFF


def report_blocks(compound: bytes) -> Iterator[ReportBlock]:
    """Each report block of a compound packet, of its sender reports and its receiver reports."""
    for kind, count, start, end in _packets(compound):
        if kind in _BLOCKS_AT:
            first = start + _BLOCKS_AT[kind]
            for at in range(first, min(end, first + count * _BLOCK.size) - _BLOCK.size + 1, _BLOCK.size):
                ssrc, fraction, lost, highest, jitter, last, delay = _BLOCK.unpack_from(compound, at)
                cumulative = int.from_bytes(lost, "big", signed=True)
                yield ReportBlock(ssrc, fraction, cumulative, highest, jitter, last, delay)


def nacks(compound: bytes) -> Iterator[tuple[int, list[int]]]:
    """The (SSRC, sequence numbers) of each question for packets in a compound packet."""
    for kind, form, start, end in _packets(compound):
        if kind == TRANSPORT_FEEDBACK and form == GENERIC_NACK and end - start >= 12:
            sequences = []
            for at in range(start + 12, min(end, start + 12 + 4 * _MAX_ENTRIES), 4):
                first, following = struct.unpack_from(">HH", compound, at)
                sequences.append(first)
                sequences += [(first + 1 + i) & 0xFFFF for i in range(16) if following >> i & 1]
            yield int.from_bytes(compound[start + 8 : start + 12], "big"), sequences


def _packets(compound: bytes) -> Iterator[tuple[int, int, int, int]]:
    """The (type, count or format, start, end) of each packet in a compound one."""
    start = 0
    while start + 8 <= len(compound):
        first, kind, words = struct.unpack_from(">BBH", compound, start)
        end = start + 4 + 4 * words
        if first & 0xC0 != 0x80 or end > len(compound):
            return
        yield kind, first & 0x1F, start, end
        start = end
