"""Reports of the worker's own: a speaker learns how its voice arrives, a listener what was sent to it."""

from __future__ import annotations

import time

from aiortc.rtp import RtcpPacket, RtcpRrPacket, RtcpSrPacket

from media.datagrams import STRIDE
from media.worker import Worker
from tests.media.voices import Voice, voices

WALL = 1_700_000_000.0


def reports(voice: Voice) -> list[object]:
    """The RTCP packets that came, in plain."""
    found: list[object] = []
    inbox = voice.socket.inbox
    for i in range(voice.socket.receive()):
        datagram = bytes(inbox.buffer[i * STRIDE : i * STRIDE + inbox.sizes[i]])
        if 200 <= datagram[1] <= 207:
            plain = voice.contexts.unprotect_rtcp(datagram)
            assert plain is not None
            found += RtcpPacket.parse(plain)
    return found


async def test_both_sides_are_told_the_truth(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob):
        assert await ann.is_heard_by(bob, packets=6)
        ann.sequence += 2  # lost on the way to the worker
        assert await ann.is_heard_by(bob, packets=2)
        ann.receive()
        worker.tick(time.monotonic() + 4.5, WALL)

        (received,) = (each for each in reports(ann) if isinstance(each, RtcpRrPacket))
        (block,) = received.reports
        assert (block.ssrc, block.packets_lost, block.fraction_lost) == (ann.ssrc, 2, 2 * 256 // 10)
        assert block.highest_sequence & 0xFFFF == (ann.sequence - 1) & 0xFFFF

        told = reports(bob)
        assert [each.reports for each in told if isinstance(each, RtcpRrPacket)] == [[]]
        (sent,) = (each for each in told if isinstance(each, RtcpSrPacket))
        assert sent.ssrc in bob.streams
        assert (sent.sender_info.packet_count, sent.sender_info.octet_count) == (8, 8 * len(b"opus"))
        assert sent.sender_info.ntp_timestamp >> 32 == int(WALL) + 2_208_988_800
