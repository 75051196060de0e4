"""Limits: how fast one connection may be."""

from uuid import UUID

from rooms.core.limits import CHAT_BURST, RESUME_BURST, Limits
from rooms.frames.incoming import Chat, ChatDelete, ChatEdit, ChatReaction, Mute, Ping, Resume


def test_a_burst_then_a_rate() -> None:
    limits = Limits(0.0)
    assert [limits.message(Chat("hi"), 0.0) for _ in range(CHAT_BURST)] == [0.0] * CHAT_BURST
    assert limits.message(Chat("hi"), 0.0) == 0.2
    assert limits.message(Chat("hi"), 0.2) == 0.0
    assert limits.message(Chat("hi"), 0.2) > 0


def test_what_writes_into_the_log_is_counted_together() -> None:
    limits, msg_id = Limits(0.0), UUID(int=1)
    acts = (Chat("hi"), ChatEdit(msg_id, "ho"), ChatDelete(msg_id), ChatReaction(msg_id, "👍"))
    waits = [limits.message(acts[count % 4], 0.0) for count in range(CHAT_BURST + 4)]
    assert [wait > 0 for wait in waits] == [False] * CHAT_BURST + [True] * 4


def test_signalling_and_chat_are_counted_apart() -> None:
    limits = Limits(0.0)
    for _ in range(50):
        assert limits.message(Mute(True), 0.0) == 0.0
    assert limits.message(Mute(True), 0.0) > 0
    assert limits.message(Chat("hi"), 0.0) == 0.0
    assert limits.message(Ping(), 0.0) == 0.0


def test_a_replay_is_asked_for_once_a_second() -> None:
    limits, resume = Limits(0.0), Resume("e", 5)
    waits = [limits.message(resume, 0.0) for _ in range(RESUME_BURST + 1)]
    assert waits == [0.0] * RESUME_BURST + [1.0]
    assert limits.message(resume, 1.0) == 0.0
    assert limits.message(Chat("hi"), 1.0) == 0.0


def test_who_is_over_for_ten_seconds_is_exhausted() -> None:
    limits = Limits(0.0)
    for tenth in range(120):
        now = 20 + tenth / 10
        while not limits.frame(now):
            pass
        assert limits.exhausted(now) == (tenth >= 100)


def test_a_calm_moment_begins_anew() -> None:
    limits = Limits(0.0)
    for now in (0.0, 9.0, 18.0):
        while not limits.frame(now):
            pass
        assert not limits.exhausted(now)
