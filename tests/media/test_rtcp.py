"""The worker's own reports, read back by aiortc, and those of clients."""

from aiortc.rtp import (
    RtcpPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
)
from hypothesis import given
from hypothesis import strategies as st

from media import rtcp
from media.reception import ReportBlock
from media.rtcp import SenderInfo


def test_a_compound_packet_reads_as_it_was_meant() -> None:
    block = ReportBlock(
        ssrc=5, fraction_lost=64, cumulative_lost=-3, highest=70_000, jitter=480, last_report=9, delay=65536
    )
    compound = (
        rtcp.receiver_report(1, [block])
        + rtcp.sender_report(SenderInfo(ssrc=2, wall=1.5, timestamp=48_000, packets=10, octets=1200))
        + rtcp.source_description(1, "worker")
    )
    rr, sr, sdes = RtcpPacket.parse(compound)
    assert isinstance(rr, RtcpRrPacket)
    assert rr.ssrc == 1
    (report,) = rr.reports
    assert (report.ssrc, report.fraction_lost, report.packets_lost) == (5, 64, -3)
    assert (report.highest_sequence, report.jitter, report.lsr, report.dlsr) == (70_000, 480, 9, 65536)
    assert isinstance(sr, RtcpSrPacket)
    assert (sr.ssrc, sr.sender_info.rtp_timestamp) == (2, 48_000)
    assert (sr.sender_info.packet_count, sr.sender_info.octet_count) == (10, 1200)
    assert sr.sender_info.ntp_timestamp == (2_208_988_801 << 32) + (1 << 31)
    assert isinstance(sdes, RtcpSdesPacket)
    assert sdes.chunks[0].items == [(1, b"worker")]


def test_a_clients_sender_report_is_found_wherever_it_stands() -> None:
    sr = rtcp.sender_report(SenderInfo(ssrc=2, wall=0.0, timestamp=0, packets=0, octets=0))
    compound = rtcp.receiver_report(1, []) + sr + rtcp.source_description(2, "x")
    assert list(rtcp.sender_reports(compound)) == [(2, (2_208_988_800 & 0xFFFF) << 16)]


def test_a_clients_report_blocks_are_those_it_wrote() -> None:
    block = ReportBlock(
        ssrc=5, fraction_lost=64, cumulative_lost=-3, highest=70_000, jitter=480, last_report=9, delay=65536
    )
    other = ReportBlock(
        ssrc=6, fraction_lost=0, cumulative_lost=1 << 22, highest=0, jitter=0, last_report=0, delay=0
    )
    info = RtcpSenderInfo(ntp_timestamp=1, rtp_timestamp=2, packet_count=3, octet_count=4)
    theirs = RtcpReceiverInfo(
        ssrc=7, fraction_lost=1, packets_lost=2, highest_sequence=3, jitter=4, lsr=5, dlsr=6
    )
    compound = rtcp.receiver_report(1, [block, other]) + bytes(
        RtcpSrPacket(ssrc=1, sender_info=info, reports=[theirs])
    )
    assert list(rtcp.report_blocks(compound)) == [block, other, ReportBlock(7, 1, 2, 3, 4, 5, 6)]


def test_a_packet_that_announces_more_blocks_than_it_has() -> None:
    whole = rtcp.receiver_report(1, [])
    assert list(rtcp.report_blocks(bytes([whole[0] | 31]) + whole[1:])) == []


def test_an_answer_names_our_report_by_the_middle_of_its_time() -> None:
    sr = rtcp.sender_report(SenderInfo(ssrc=2, wall=1.5, timestamp=0, packets=0, octets=0))
    assert list(rtcp.sender_reports(sr)) == [(2, rtcp.ntp_middle(1.5))]


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=40))
def test_a_question_for_packets_reads_as_it_was_meant(sequences: list[int]) -> None:
    asked = rtcp.nack(1, 2, sequences)
    (packet,) = RtcpPacket.parse(asked)
    assert isinstance(packet, RtcpRtpfbPacket)
    assert (packet.fmt, packet.ssrc, packet.media_ssrc) == (1, 1, 2)
    lost = [each & 0xFFFF for each in packet.lost]
    assert set(lost) == set(sequences)
    ((ssrc, read),) = rtcp.nacks(rtcp.receiver_report(1, []) + asked)
    assert (ssrc, read) == (2, lost)


def test_a_row_of_packets_is_one_entry() -> None:
    assert rtcp.nack(1, 2, [65534, 65535, 0, 14])[12:] == b"\xff\xfe\x80\x03"


@given(st.binary(max_size=200))
def test_anything_else_reads_as_nothing(data: bytes) -> None:
    for ssrc, sequences in rtcp.nacks(data):
        assert 0 <= ssrc <= 0xFFFFFFFF
        assert all(0 <= sequence <= 0xFFFF for sequence in sequences)
    for block in rtcp.report_blocks(data):
        assert 0 <= block.ssrc <= 0xFFFFFFFF
    for ssrc, ntp in rtcp.sender_reports(data):
        assert 0 <= ssrc <= 0xFFFFFFFF
        assert 0 <= ntp <= 0xFFFFFFFF
