"""Mutes, as Room sees them: in force at once, kept in the tables, told to the worker."""

from common.errors import Unavailable
from rooms.core.effects import (
    Broadcast,
    MuteVoice,
    Negotiate,
    SaveMute,
    Send,
)
from rooms.core.events import Ruled
from rooms.core.participant import Member
from rooms.frames.codec import Frame
from rooms.frames.incoming import Mute, Offer
from rooms.frames.outgoing import Error, ParticipantUpdated, Present
from rooms.frames.voice import Answer
from tests.rooms.ann_and_bob import ANN, BOB, happens, room_with, tables_say


def test_a_mute_is_in_force_at_once_and_kept() -> None:
    room = room_with(ANN, BOB)
    muted = Present("1", "Ann", "owner", 100, 1000, muted=True, muted_by="self")
    assert room.receive("c1", Frame(Mute(True), "3"), 1002.0) == [
        MuteVoice(1, True),
        Broadcast(("c1", "c2"), ParticipantUpdated("R", "1", muted)),
        SaveMute("c1", "3", 1, True, change=1),
    ]


def test_a_mute_goes_with_each_offer() -> None:
    room = room_with(Member(1, "Ann", "owner", "self", 100, 100, visit=1))
    assert room.receive("c1", Frame(Offer("sdp")), 1002.0) == [Negotiate("c1", None, 1, True, "sdp")]


def test_a_mute_while_the_worker_answers_is_told_after_the_answer() -> None:
    room = room_with(ANN)
    (asked,) = room.receive("c1", Frame(Offer("sdp")), 1002.0)
    assert isinstance(asked, Negotiate)
    assert asked.muted is False
    room.receive("c1", Frame(Mute(True)), 1002.1)
    answer = Answer("answer", "v1")
    assert room.negotiated(asked, answer) == [MuteVoice(1, True), Send("c1", answer)]


def test_nobody_undoes_a_moderators_mute() -> None:
    room = room_with(Member(1, "Ann", "member", "moderator", 100, 100, visit=1))
    (refusal,) = room.receive("c1", Frame(Mute(False), "4"), 1002.0)
    assert refusal == Send(
        "c1", Error("MUTED_BY_MODERATOR", "A moderator has muted you.", "4", retryable=False), "4"
    )


def test_a_mute_that_could_not_be_kept_holds_against_the_tables() -> None:
    room = room_with(ANN)
    *_, save = room.receive("c1", Frame(Mute(True)), 1002.0)
    assert isinstance(save, SaveMute)
    room.participants.mute_saved(save, Unavailable("Away."))
    assert tables_say(room, ANN) == []  # the tables say unmuted: they are not believed


def test_an_answer_of_the_tables_from_before_a_mute_changes_nothing() -> None:
    room = room_with(ANN)
    asked_when = room.participants.here()
    *_, save = room.receive("c1", Frame(Mute(True)), 1002.0)
    assert isinstance(save, SaveMute)
    room.participants.mute_saved(save, None)
    assert tables_say(room, ANN, as_of=asked_when) == []


def test_a_moderators_mute_on_another_replica_reaches_the_packets() -> None:
    room = room_with(ANN)
    by_moderator = Member(1, "Ann", "owner", "moderator", 100, 100, visit=1)
    view = Present("1", "Ann", "owner", 100, 1000, muted=True, muted_by="moderator")
    assert tables_say(room, by_moderator) == [
        MuteVoice(1, True),
        Broadcast(("c1",), ParticipantUpdated("R", "1", view)),
    ]


def test_ones_own_mute_under_a_moderators_is_kept_for_when_that_is_lifted() -> None:
    room = room_with(Member(1, "Ann", "member", "moderator", 100, 100, visit=1))
    muted = Present("1", "Ann", "member", 100, 1000, muted=True, muted_by="moderator")
    assert room.receive("c1", Frame(Mute(True), "3"), 1002.0) == [
        Send("c1", ParticipantUpdated("R", "1", muted), "3"),
        SaveMute("c1", "3", 1, True, change=1),
    ]
    lifted = Present("1", "Ann", "member", 100, 1000, muted=True, muted_by="self")
    assert happens(room, 42, Ruled(1, "unmute")) == [Broadcast(("c1",), ParticipantUpdated("R", "1", lifted))]


def test_a_mute_on_its_way_to_the_tables_holds_when_a_moderators_mute_overtakes_it() -> None:
    room = room_with(ANN)
    room.receive("c1", Frame(Mute(True)), 1002.0)
    by_moderator = Member(1, "Ann", "owner", "moderator", 100, 100, visit=1)
    tables_say(room, by_moderator)
    tables_say(room, ANN)
    lifted = Present("1", "Ann", "owner", 100, 1000, muted=True, muted_by="self")
    assert room.participants.present() == (lifted,)
