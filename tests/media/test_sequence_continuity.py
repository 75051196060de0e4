"""One continuous stream a slot, through wraps, losses and changes of speaker."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.sequence import MIN_STEP, OutStream

FRAME = 960
WRAPS = [0, 1, 0x7FFF, 0xFFF0, 0xFFFF, 0x1FFFE, 0x123456]


def test_the_first_packet_starts_the_stream() -> None:
    stream = OutStream(100, 5000)
    assert stream.map(77, 123456, 0.0) == (0x80, 100, 5000)


def test_a_stream_cannot_start_where_a_lost_first_wrap_would_break_decryption() -> None:
    with pytest.raises(ValueError, match="below 32768"):
        OutStream(0x8000, 0)


@pytest.mark.parametrize("index", WRAPS)
@pytest.mark.parametrize("first", [0, 1, 0x7FFF])
@pytest.mark.parametrize("timestamp", [0, 0xFFFFFFFF, 0xFFFFFC40, 0x7FFFFFFF])
def test_one_source_keeps_its_steps_over_every_wrap(index: int, first: int, timestamp: int) -> None:
    stream = OutStream(first, 0xFFFFFF00)
    for i in range(0, 70_000, 499):
        sent = stream.map(index + i, timestamp + i * FRAME & 0xFFFFFFFF, i * 0.02)
        assert sent == (0 if i else 0x80, (first + i) & 0xFFFF, (0xFFFFFF00 + i * FRAME) & 0xFFFFFFFF)


@pytest.mark.parametrize("before", WRAPS)
@pytest.mark.parametrize("after", WRAPS)
def test_a_change_of_speaker_is_the_next_packet_after_the_time_that_passed(before: int, after: int) -> None:
    stream = OutStream(0x7FFF, 0xFFFFFFFF)
    last = stream.map(before, 1, 10.0)
    stream.switch()
    assert last == (0x80, 0x7FFF, 0xFFFFFFFF)
    assert stream.map(after, 999_999, 10.5) == (0x80, 0x8000, 24_000 - 1)
    assert stream.map(after + 1, 999_999 + FRAME, 10.52) == (0, 0x8001, 24_000 - 1 + FRAME)


def test_a_change_at_once_leaves_room_for_the_last_frame() -> None:
    stream = OutStream(0, 0)
    stream.map(5, 0, 1.0)
    stream.switch()
    assert stream.map(90, 0, 1.0) == (0x80, 1, MIN_STEP)


def test_losses_and_reordering_pass_through() -> None:
    stream = OutStream(10, 0)
    sent = [stream.map(index, index * FRAME, 0.0) for index in (100, 101, 104, 103, 105)]
    assert [each[1] for each in sent if each] == [10, 11, 14, 13, 15]


def test_a_packet_of_before_the_change_is_refused() -> None:
    stream = OutStream(10, 0)
    stream.map(99, 0, 0.0)
    stream.switch()
    assert stream.map(100, 0, 0.02) == (0x80, 11, FRAME)
    assert stream.map(98, 0, 0.03) is None


def test_the_timestamp_of_now_goes_with_the_wall_clock() -> None:
    stream = OutStream(0, 1000)
    assert stream.timestamp_at(5.0) is None
    stream.map(0, 0, 5.0)
    assert stream.timestamp_at(6.0) == 49_000


@settings(max_examples=300)
@given(
    first=st.integers(0, 0x7FFF),
    steps=st.lists(st.tuples(st.booleans(), st.integers(-40, 60), st.floats(0, 3)), min_size=1, max_size=200),
    start=st.sampled_from(WRAPS),
)
def test_no_sequence_number_is_ever_used_for_two_packets(
    first: int, steps: list[tuple[bool, int, float]], start: int
) -> None:
    """Whatever is lost, late or taken over; a source sends an index once, as SRTP's replay check has it."""
    stream = OutStream(first, 0)
    used: set[int] = set()
    index, source, now = start + 100, 0, 0.0
    sent: set[tuple[int, int]] = set()
    for switch, step, passed in steps:
        now += passed
        if switch:
            source += 1
            stream.switch()
        index = max(0, index + step)
        if (source, index) in sent:
            continue
        sent.add((source, index))
        mapped = stream.map(index, index * FRAME & 0xFFFFFFFF, now)
        if mapped is not None:
            assert mapped[1] not in used
            used.add(mapped[1])
