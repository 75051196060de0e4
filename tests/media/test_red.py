"""RED payloads (RFC 2198), taken apart by their headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import red
from media.red import NotRed, Red

OPUS = 111


def made(primary: bytes, *earlier: tuple[int, bytes], payload_type: int = OPUS) -> bytes:
    """The oldest first, each with how far back it lies."""
    headers = [
        (payload_type << 24 | 1 << 31 | offset << 10 | len(block)).to_bytes(4, "big")
        for offset, block in earlier
    ]
    return b"".join([*headers, bytes([payload_type]), *(block for _, block in earlier), primary])


def test_what_a_browser_sends() -> None:
    assert red.read(made(b"new", (960, b"old")), OPUS) == Red(b"new", ((960, b"old"),))


def test_the_packet_right_before_comes_first_and_a_block_may_be_empty() -> None:
    payload = made(b"c", (1920, b"a"), (960, b""))
    assert red.read(payload, OPUS) == Red(b"c", ((960, b""), (1920, b"a")))


def test_nothing_repeated() -> None:
    assert red.read(made(b"new"), OPUS) == Red(b"new", ())


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x80",
        bytes([0x80 | OPUS, 0, 0]),
        bytes([0x80 | OPUS, 0, 0, 1]),
        bytes([0x80 | OPUS, 0, 0, 9, OPUS]) + b"short",
        made(b"new", payload_type=9),
        made(b"new", (960, b"old"), payload_type=9),
        made(b"new", *[(960, b"")] * red.MAX_BLOCKS),
    ],
)
def test_what_is_not_red_of_that_codec_is_said_to_be_so(payload: bytes) -> None:
    with pytest.raises(NotRed):
        red.read(payload, OPUS)


@given(st.binary(max_size=60), st.integers(1, 127))
def test_nothing_else_is_ever_raised(payload: bytes, payload_type: int) -> None:
    try:
        parts = red.read(payload, payload_type)
    except NotRed:
        return
    assert len(parts.primary) + sum(len(block) for _, block in parts.earlier) < len(payload)
    assert red.read(red.renumbered(payload, 96), 96) == parts
