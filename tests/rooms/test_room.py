"""Room, as its documentation: values in, effects out. Its messages, its voices, and small things."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from common.errors import Unavailable
from rooms.core.effects import (
    Broadcast,
    Draft,
    Effect,
    Negotiate,
    Persist,
    Saved,
    SaveRead,
    Send,
)
from rooms.core.events import Event, Said
from rooms.frames.codec import Frame
from rooms.frames.incoming import Chat, Ice, Offer, Ping, Read
from rooms.frames.outgoing import ChatAck, ChatSaid, Error, Pong
from rooms.frames.voice import Answer, Speaker, Speakers, VoiceLost
from tests.rooms.ann_and_bob import ANN, BOB, HELLO, room_with


def test_a_message_is_saved_before_anybody_sees_it() -> None:
    room = room_with(ANN, BOB)
    draft = Draft("c1", "7", user_id=1, act=Chat("hello", "x"))
    assert room.receive("c1", Frame(Chat("hello", "x"), "7"), 1002.0) == [Persist(draft)]

    said = Event(42, UUID(int=5), 1, "Ann", datetime.fromtimestamp(1002, UTC), Said("hello"), "x")
    msg_id = str(UUID(int=5))
    ack = ChatAck(msg_id, "x", 42, 1002, duplicate=False)
    assert room.feed.saved([Saved(draft, ack, said)]) == [
        Broadcast(("c1", "c2"), ChatSaid("R", "1", "hello", msg_id, 1002, "Ann", "x", None), seq=42),
        Send("c1", ack, "7"),
    ]


def test_a_repeat_is_acked_and_nobody_else_hears_of_it() -> None:
    room = room_with(ANN, BOB)
    draft = Draft("c1", None, user_id=1, act=Chat("hello", "x"))
    ack = ChatAck(str(UUID(int=5)), "x", 7, 900, duplicate=True)
    assert room.feed.saved([Saved(draft, ack)]) == [Send("c1", ack)]


def test_when_saving_fails_the_sender_hears_and_nobody_gets_it() -> None:
    room = room_with(ANN, BOB)
    draft = Draft("c1", None, user_id=1, act=Chat("hello", "x"))
    problem = Unavailable("Not saved.", code="NOT_SAVED", retry_after=1.0)
    assert room.feed.not_saved(draft, problem) == [
        Send("c1", Error("NOT_SAVED", "Not saved.", "x", retryable=True, retry_after_ms=1000))
    ]


def test_who_comes_while_somebody_speaks_on_is_told_who_speaks() -> None:
    room = room_with(ANN)
    talking = (Speaker("1", 96),)
    assert room.speakers(talking) == [Broadcast(("c1",), Speakers(talking))]
    came = room.connect("c2", BOB, 1001.0, HELLO)
    assert came[-1] == Send("c2", Speakers(talking))


def test_with_the_worker_voices_and_speakers_are_gone() -> None:
    room = room_with(ANN)
    room.receive("c1", Frame(Offer("sdp")), 1001.0)
    room.negotiated(Negotiate("c1", None, 1, False, "sdp"), Answer("answer", "v1"))
    room.speakers((Speaker("1", 96),))
    assert room.worker_lost() == [
        Send("c1", VoiceLost("v1", "worker_lost")),
        Broadcast(("c1",), Speakers(())),
    ]
    assert room.worker_lost() == []


@pytest.mark.parametrize(
    ("frame", "effects"),
    [
        (Frame(Ping(), "1"), [Send("c1", Pong(41), "1")]),
        (Frame(Ice()), []),
        (Frame(Read(30)), [SaveRead(1, 30)]),
        (Frame(Read(99)), [SaveRead(1, 41)]),  # nobody has read what is not there
    ],
)
def test_small_frames(frame: Frame, effects: list[Effect]) -> None:
    assert room_with(ANN).receive("c1", frame, 1002.0) == effects


def test_a_frame_of_a_connection_that_is_gone_does_nothing() -> None:
    assert room_with(ANN).receive("c9", Frame(Chat("hello")), 1002.0) == []
