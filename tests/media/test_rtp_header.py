"""RTP headers: what is read of a packet, and what is written for a listener."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtp
from media.rtp import Header, HeaderWriter, NotRtp


def packet(first: int, *parts: bytes, second: int = 0x6F) -> bytes:
    return struct.pack(">BBHII", first, second, 7, 1000, 0xCAFE) + b"".join(parts)


def extension(*elements: bytes) -> bytes:
    body = b"".join(elements)
    body += bytes(-len(body) % 4)
    return struct.pack(">HH", 0xBEDE, len(body) // 4) + body


def test_a_plain_packet() -> None:
    assert rtp.parse(packet(0x80, b"opus"), level_id=0) == Header(111, 0, 7, 1000, 0xCAFE, 12, 16, None)


def test_marker_contributors_and_padding() -> None:
    contributors = bytes(8)
    header = rtp.parse(packet(0xA2, contributors, b"opus", b"\0\0\x03", second=0xEF), level_id=0)
    assert (header.marker, header.payload, header.end) == (0x80, 20, 24)


@pytest.mark.parametrize(
    "elements",
    [
        [b"\x10\x9e"],
        [b"\x41ab", b"\x10\x9e"],
        [b"\0\0\0", b"\x10\x9e"],
    ],
    ids=["alone", "after another", "after padding"],
)
def test_the_level_is_found_among_the_extensions(elements: list[bytes]) -> None:
    header = rtp.parse(packet(0x90, extension(*elements), b"opus"), level_id=1)
    assert header.level == 0x9E
    assert header.end - header.payload == 4


@pytest.mark.parametrize("elements", [[b"\xf0\x01", b"\x10\x9e"], [b"\x30\x9e"], [b"\x2f"]])
def test_no_level_where_there_is_none(elements: list[bytes]) -> None:
    assert rtp.parse(packet(0x90, extension(*elements), b"opus"), level_id=1).level is None


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x80" * 11,
        packet(0x40),
        packet(0x8F, b"short"),
        packet(0x90, b"\xbe"),
        packet(0x90, b"\xbe\xde\xff\xff", b"opus"),
        packet(0xA0, b"opus\x00"),
        packet(0xA0, b"opus\xff"),
    ],
)
def test_what_is_not_rtp_is_said_to_be_so(broken: bytes) -> None:
    with pytest.raises(NotRtp):
        rtp.parse(broken, level_id=1)


@given(st.binary(max_size=80), st.integers(0, 14))
def test_nothing_else_is_ever_raised(datagram: bytes, level_id: int) -> None:
    try:
        header = rtp.parse(datagram, level_id)
    except NotRtp:
        return
    assert 12 <= header.payload <= header.end <= len(datagram)


@given(
    payload=st.binary(min_size=1, max_size=rtp.MAX_PAYLOAD),
    mid=st.text("abcdefgh0123456789", min_size=1, max_size=16),
    level=st.none() | st.integers(0, 255),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    marker=st.sampled_from([0, 0x80]),
)
def test_what_is_written_reads_back(
    payload: bytes, mid: str, level: int | None, sequence: int, timestamp: int, marker: int
) -> None:
    writer = HeaderWriter(ssrc=0xBEEF, mid=mid, mid_id=3, level_id=2)
    buffer = bytearray(2000)
    size = writer.write(buffer, 100, marker | 109, sequence, timestamp, 0xC0FFEE, level, payload)
    written = bytes(buffer[100 : 100 + size])
    header = rtp.parse(written, level_id=2)
    assert header == Header(109, marker, sequence, timestamp, 0xBEEF, writer.size, size, level)
    assert written[header.payload :] == payload
    assert (written[0] & 0x0F, written[12:16]) == (1, b"\0\xc0\xff\xee")
    assert bytes([0x30 | len(mid) - 1]) + mid.encode() in written[: header.payload]


def test_a_listener_without_extensions_gets_padding_only() -> None:
    writer = HeaderWriter(ssrc=1, mid="0", mid_id=0, level_id=0)
    buffer = bytearray(100)
    size = writer.write(buffer, 0, 111, 1, 1, 7, 30, b"opus")
    assert bytes(buffer[12:size]) == b"\0\0\0\x07" + b"\xbe\xde\0\x01" + bytes(4) + b"opus"
