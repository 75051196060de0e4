"""Room, as its documentation: values in, effects out."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from common.errors import TooMany, Unavailable
from rooms.effects import (
    Broadcast,
    CloseVoice,
    Disconnect,
    Draft,
    DropPresence,
    Effect,
    HoldSeat,
    MuteVoice,
    Negotiate,
    Persist,
    Saved,
    SaveMute,
    SaveRead,
    Send,
    Wake,
)
from rooms.events import Event, Said
from rooms.frames import Frame
from rooms.incoming import Chat, Ice, Mute, Offer, Ping, Read
from rooms.outgoing import (
    Answer,
    ChatAck,
    ChatSaid,
    Error,
    Hello,
    Limits,
    ParticipantUpdated,
    PeerJoined,
    PeerLeft,
    Pong,
    Present,
    RoomView,
    Speaker,
    Speakers,
    State,
    TimerView,
    VoiceLost,
)
from rooms.participant import Member
from rooms.room import MOST_CONNECTIONS, Room

HELLO = Hello(
    conn_id="",
    epoch="e",
    last_seq=0,
    heartbeat_ms=15000,
    limits=Limits(65536, 4000, 5, 10),
    ice_servers=(),
    server_time_ms=0,
)
SETTINGS = RoomView("Algebra", "", "public", 10, "1", locked=False, slow_mode_s=0, listen_only=False)
TIMER = TimerView("stopped", 1500, 300, 0, 0)
ANN = Member(1, "Ann", "owner", muted_by="", joined_at=100, last_seen=100, visit=1)
BOB = Member(2, "Bob", "member", muted_by="", joined_at=200, last_seen=200, visit=2)

ANN_HERE = Present("1", "Ann", "owner", 100, 1000, muted=False, muted_by="")
BOB_HERE = Present("2", "Bob", "member", 200, 1001, muted=False, muted_by="")


def room_with(*members: Member) -> Room:
    """A room where these members are connected, by "c1", "c2", …, since 1000.0, 1001.0, …"""
    room = Room("R", "e", 41, SETTINGS, TIMER)
    for number, member in enumerate(members):
        room.connect(f"c{number + 1}", member, 1000.0 + number, HELLO)
    return room


def test_a_joiner_gets_hello_and_a_snapshot_and_the_others_get_an_event() -> None:
    room = room_with(ANN)
    assert room.connect("c2", BOB, 1001.0, HELLO) == [
        Broadcast(("c1",), PeerJoined("R", "2", "Bob", BOB_HERE)),
        Send("c2", Hello("", "e", 41, 15000, HELLO.limits, (), 0)),
        Send("c2", State("R", (ANN_HERE, BOB_HERE), SETTINGS, TIMER)),
    ]


def test_another_tab_is_the_same_participant() -> None:
    room = room_with(ANN, BOB)
    effects = room.connect("c3", BOB, 1002.0, HELLO)
    assert [type(effect) for effect in effects] == [Send, Send]  # hello and state, nothing to the others
    assert room.disconnect("c3", 1003.0) == []  # the other tab is still there


def test_tabs_are_counted() -> None:
    room = room_with(*[ANN] * MOST_CONNECTIONS)
    with pytest.raises(TooMany):
        room.connect("one too many", ANN, 1010.0, HELLO)


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


def test_a_lost_connection_may_come_back_within_the_grace() -> None:
    room = room_with(ANN, BOB)
    assert room.disconnect("c2", 1010.0) == [HoldSeat(2), Wake(1018.0), Wake(1040.0)]
    assert room.tick(1017.9) == []
    effects = room.connect("c3", BOB, 1017.95, HELLO)
    assert [type(effect) for effect in effects] == [Send, Send]
    assert room.tick(1018.0) == []


def test_after_the_grace_the_others_hear_and_after_the_seat_the_voice_ends() -> None:
    room = room_with(ANN, BOB)
    room.disconnect("c2", 1010.0)
    assert room.tick(1018.0) == [DropPresence(2), Broadcast(("c1",), PeerLeft("R", "2"))]
    assert room.tick(1039.0) == []
    assert room.tick(1040.0) == [CloseVoice(2)]


def test_somebody_who_comes_back_between_grace_and_seat_has_come_anew() -> None:
    room = room_with(ANN, BOB)
    room.disconnect("c2", 1010.0)
    room.tick(1018.0)
    joined = room.connect("c3", BOB, 1020.0, HELLO)[0]
    assert isinstance(joined, Broadcast)
    assert isinstance(joined.message, PeerJoined)


def test_leaving_is_at_once_and_for_every_tab() -> None:
    room = room_with(ANN, BOB, BOB)
    assert room.leave(2) == [
        Disconnect("c2", 4003, "LEFT"),
        Disconnect("c3", 4003, "LEFT"),
        CloseVoice(2),
        Broadcast(("c1",), PeerLeft("R", "2")),
    ]
    assert room.disconnect("c2", 1010.0) == []


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
    room.mute_saved(save, Unavailable("Away."))
    assert room.roster([ANN], as_of=room.here()) == []  # the tables say unmuted: they are not believed


def test_an_answer_of_the_tables_from_before_a_mute_changes_nothing() -> None:
    room = room_with(ANN)
    asked_when = room.here()
    *_, save = room.receive("c1", Frame(Mute(True)), 1002.0)
    assert isinstance(save, SaveMute)
    room.mute_saved(save, None)
    assert room.roster([ANN], as_of=asked_when) == []


def test_a_moderators_mute_on_another_replica_reaches_the_packets() -> None:
    room = room_with(ANN)
    by_moderator = Member(1, "Ann", "owner", "moderator", 100, 100, visit=1)
    view = Present("1", "Ann", "owner", 100, 1000, muted=True, muted_by="moderator")
    assert room.roster([by_moderator], as_of=room.here()) == [
        Broadcast(("c1",), ParticipantUpdated("R", "1", view)),
        MuteVoice(1, True),
    ]


def test_people_on_other_replicas_come_and_go_like_our_own() -> None:
    room = room_with(ANN)
    bob = Member(2, "Bob", "member", "", 200, 200, visit=2, elsewhere=True)
    view = Present("2", "Bob", "member", 200, 200, muted=False, muted_by="")
    assert room.roster([ANN, bob], as_of=room.here()) == [
        Broadcast(("c1",), PeerJoined("R", "2", "Bob", view))
    ]
    assert room.roster([ANN], as_of=room.here()) == [Broadcast(("c1",), PeerLeft("R", "2"))]


def test_who_left_on_another_replica_is_closed_here() -> None:
    room = room_with(ANN, BOB)
    assert room.roster([ANN], as_of=room.here()) == [
        Disconnect("c2", 4003, "LEFT"),
        CloseVoice(2),
        Broadcast(("c1",), PeerLeft("R", "2")),
    ]


def test_who_connected_while_the_tables_were_read_stays() -> None:
    room = room_with(ANN)
    asked_when = room.here()
    room.connect("c2", BOB, 1001.0, HELLO)
    assert room.roster([ANN], as_of=asked_when) == []


def test_who_went_to_another_replica_neither_leaves_nor_loses_the_voice() -> None:
    room = room_with(ANN, BOB)
    room.disconnect("c2", 1010.0)
    elsewhere = Member(2, "Bob", "member", "", 200, 200, visit=2, elsewhere=True)
    assert room.roster([ANN, elsewhere], as_of=room.here()) == []
    assert room.tick(1018.0) == [DropPresence(2)]
    assert room.tick(1040.0) == []


def test_a_room_is_idle_when_nobody_of_ours_is_in_it_any_more() -> None:
    room = room_with(ANN)
    assert not room.idle
    room.disconnect("c1", 1010.0)
    room.tick(1018.0)
    assert not room.idle  # the seat is kept
    room.tick(1040.0)
    assert room.idle


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
