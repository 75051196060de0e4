"""The compound RTCP packets that a participant gets: our view of both directions, and what we miss. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from media import rtcp
from media.packet_loop import SentStream
from media.reception import ReportBlock

#: Sender reports in one compound packet, so that it fits a datagram.
_STREAMS: Final = 24


def reports(
    ssrc: int, cname: str, block: ReportBlock | None, streams: Sequence[SentStream], wall: float
) -> Iterator[bytes]:
    """How the participant's voice arrives, and what was sent to it (RFC 3550, section 6.4). `ssrc` and
    `cname` are ours."""
    blocks = [] if block is None else [block]
    for start in range(0, max(1, len(streams)), _STREAMS):
        compound = rtcp.receiver_report(ssrc, blocks if start == 0 else [])
        for sent in streams[start : start + _STREAMS]:
            compound += rtcp.sender_report(
                rtcp.SenderInfo(sent.ssrc, wall, sent.timestamp, sent.packets, sent.octets)
            )
        yield compound + rtcp.source_description(ssrc, cname)


def question(ssrc: int, cname: str, media_ssrc: int, sequences: Iterable[int]) -> bytes:
    """Asks for the packets of `media_ssrc` that did not arrive. A compound packet starts with a report, be it
    an empty one."""
    return (
        rtcp.receiver_report(ssrc, [])
        + rtcp.source_description(ssrc, cname)
        + rtcp.nack(ssrc, media_ssrc, sequences)
    )
