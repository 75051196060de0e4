"""The websocket's bytes: however they are cut, they mean the same, and nothing breaks the parser."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.websocket import wire
from tests.rooms import raw

LONGEST = 1024


def read(pieces: list[bytes]) -> list[object]:
    """The events, and at last the close code where the client breaks the protocol."""
    parser, events = wire.Parser(LONGEST), list[object]()
    try:
        for piece in pieces:
            parser.feed(piece)
            while (event := parser.next()) is not None:
                events.append(event)
    except wire.Broken as broken:
        events.append(broken.code)
    return events


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = sorted({place % (len(data) + 1) for place in at} | {0, len(data)})
    return [data[begin:end] for begin, end in itertools.pairwise(places)] or [data]


@st.composite
def conversations(draw: st.DrawFn) -> tuple[bytes, list[object]]:
    """Messages in fragments with control frames between, and what they mean."""
    sent, meant = b"", list[object]()
    for text in draw(st.lists(st.text(max_size=200), max_size=5)):
        data = text.encode()
        least = max(1, -(-len(data) // wire.MOST_FRAGMENTS))
        pieces = raw.fragments(data, draw(st.integers(least, least + 300)))
        for number, piece in enumerate(pieces):
            if number and draw(st.booleans()):
                ping = draw(st.binary(max_size=125))
                sent += raw.frame(raw.PING, ping)
                meant.append(wire.Ping(ping))
            sent += piece
        meant.append(text)
    return sent, meant


@given(conversations(), st.lists(st.integers(0, 10_000), max_size=20))
def test_however_it_is_cut_it_means_the_same(said: tuple[bytes, list[object]], at: list[int]) -> None:
    sent, meant = said
    assert read(cut(sent, at)) == meant


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=10))
def test_any_bytes_give_events_or_a_close_code(data: bytes, at: list[int]) -> None:
    whole = read([data])
    assert [
        event for event in whole if isinstance(event, int) and event not in (1002, 1003, 1007, 1009)
    ] == []
    assert read(cut(data, at)) == whole


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_a_frame_of_ours_says_its_length_as_briefly_as_it_can(size: int) -> None:
    head = {0: 2, 1: 2, 125: 2, 126: 4, 65535: 4, 65536: 10}[size]
    frame = wire.text(b"x" * size)
    assert len(frame) == head + size
    assert frame[0] == 0x81
    assert frame[1] < 0x80, "a server masks nothing"


def test_a_close_that_must_not_be_sent_goes_without_a_code() -> None:
    assert wire.close(1005, "") == b"\x88\x00"
    assert wire.close(4003, "LEFT") == b"\x88\x06\x0f\xa3LEFT"


def test_a_long_reason_is_cut_between_characters() -> None:
    payload = wire.close(4000, "ё" * 100)[2:]
    assert payload[2:].decode() == "ё" * 61


def test_a_message_has_few_fragments_be_they_empty() -> None:
    """As many messages as one may send a second cost little more in fragments than whole."""
    assert wire.MOST_FRAGMENTS <= 64
    first, more = raw.frame(raw.TEXT, fin=False), raw.frame(raw.CONTINUATION, fin=False)
    end = raw.frame(raw.CONTINUATION)
    assert read([first + more * (wire.MOST_FRAGMENTS - 2) + end]) == [""]
    parser = wire.Parser(1000)
    parser.feed(first + more * wire.MOST_FRAGMENTS)
    with pytest.raises(wire.Broken) as broken:
        parser.next()
    assert (broken.value.code, broken.value.reason) == (1009, "TOO_MANY_FRAGMENTS")


KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ASKS = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


def test_the_answer_to_an_upgrade_is_that_of_the_standard() -> None:
    answer = wire.accept(ASKS)
    assert answer is not None
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer


def test_proxies_may_write_the_headers_in_their_way() -> None:
    assert wire.accept({**ASKS, "Connection": "keep-alive, upgrade", "Upgrade": "WebSocket"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"Upgrade": "h2c"},
        {"Connection": "close"},
        {"Sec-WebSocket-Version": "8"},
        {"Sec-WebSocket-Key": "c2hvcnQ="},
        {"Sec-WebSocket-Key": "not base64"},
    ],
)
def test_what_is_no_upgrade_gets_none(wrong: dict[str, str]) -> None:
    assert wire.accept({**ASKS, **wrong}) is None
