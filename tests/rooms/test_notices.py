"""Notices and cached events: read as they were written, and whatever else comes is refused quietly."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.core.events import Body, Changed, Deleted, Edited, Event, Reacted, Ruled, Said, Timed
from rooms.frames.outgoing import PeerTyping, RoomView, TimerView
from rooms.frames.outgoing import Reacted as Shown
from rooms.log.notices import (
    LONGEST_NOTICE,
    Notice,
    Unreadable,
    read_event,
    read_notice,
    write_event,
    write_notice,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
numbers = st.integers(0, 2**53 - 1)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
views = st.builds(RoomView, texts, texts, texts, numbers, texts, st.booleans(), numbers, st.booleans())
bodies: st.SearchStrategy[Body] = st.one_of(
    st.builds(Said, texts, st.none() | st.uuids(), st.none() | moments, st.booleans()),
    st.builds(Edited, st.uuids(), texts),
    st.builds(Deleted, st.uuids()),
    st.builds(Reacted, st.uuids(), texts, st.booleans()),
    st.builds(Ruled, numbers, texts, st.none() | texts, st.none() | moments),
    st.builds(Changed, views),
    st.builds(Timed, st.builds(TimerView, texts, numbers, numbers, numbers, numbers)),
)
events = st.builds(Event, numbers, st.uuids(), numbers, texts, moments, bodies, st.none() | texts)
gestures = st.builds(PeerTyping, texts, texts, texts, st.booleans()) | st.builds(Shown, texts, texts, texts)
notices = st.builds(
    Notice, texts, texts, numbers, st.lists(events, max_size=3).map(tuple), st.none() | gestures
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(events)
def test_an_event_is_read_as_it_was_written(event: Event) -> None:
    assert read_event(write_event(event)) == event


@given(notices)
def test_a_notice_is_read_as_it_was_written(notice: Notice) -> None:
    assert read_notice(write_notice(notice)) == notice


@given(st.text() | anything.map(json.dumps) | st.lists(anything).map(lambda rest: json.dumps([1, *rest])))
def test_whatever_comes_is_read_or_refused(text: str) -> None:
    for read in (read_event, read_notice):
        with contextlib.suppress(Unreadable):
            read(text)


@given(events, st.integers(0, 12), anything)
def test_an_event_with_one_wrong_part_is_read_or_refused(event: Event, place: int, wrong: Any) -> None:
    packed = json.loads(write_event(event))
    packed[place] = wrong
    with contextlib.suppress(Unreadable):
        read_event(json.dumps(packed))


def test_another_version_is_refused() -> None:
    with pytest.raises(Unreadable, match="version 2"):
        read_notice(json.dumps([2, "r", "e", 0, [], None]))


def test_of_a_notice_that_is_too_long_the_head_is_told() -> None:
    said = Event(7, UUID(int=7), 1, "Ann", datetime.fromtimestamp(0, UTC), Said("📚" * 4000))
    notice = Notice("r", "e", 7, (said,) * 10)
    assert len(write_notice(notice).encode()) < LONGEST_NOTICE
    assert read_notice(write_notice(notice)) == Notice("r", "e", 7)
