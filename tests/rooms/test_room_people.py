"""Who is in a room, as Room sees it: coming, going, being lost, on this replica and on others."""

import pytest

from common.errors import TooMany
from rooms.core.effects import (
    Broadcast,
    CloseVoice,
    Disconnect,
    DropPresence,
    HoldSeat,
    Send,
    Wake,
)
from rooms.core.participant import Member
from rooms.core.participants import MOST_CONNECTIONS
from rooms.frames.outgoing import (
    Hello,
    PeerJoined,
    PeerLeft,
    Present,
    State,
)
from tests.rooms.ann_and_bob import (
    ANN,
    ANN_HERE,
    BOB,
    BOB_HERE,
    HELLO,
    SETTINGS,
    TIMER,
    room_with,
    tables_say,
)


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
    assert room.participants.disconnect("c3", 1003.0, 3.0) == []  # the other tab is still there


def test_tabs_are_counted() -> None:
    room = room_with(*[ANN] * MOST_CONNECTIONS)
    with pytest.raises(TooMany):
        room.connect("one too many", ANN, 1010.0, HELLO)


def test_a_lost_connection_may_come_back_within_the_grace() -> None:
    room = room_with(ANN, BOB)
    assert room.participants.disconnect("c2", 1010.0, 10.0) == [HoldSeat(2), Wake(18.0), Wake(40.0)]
    assert room.participants.tick(17.9) == []
    effects = room.connect("c3", BOB, 1017.95, HELLO)
    assert [type(effect) for effect in effects] == [Send, Send]
    assert room.participants.tick(18.0) == []


def test_after_the_grace_the_others_hear_and_after_the_seat_the_voice_ends() -> None:
    room = room_with(ANN, BOB)
    room.participants.disconnect("c2", 1010.0, 10.0)
    assert room.participants.tick(18.0) == [DropPresence(2), Broadcast(("c1",), PeerLeft("R", "2"))]
    assert room.participants.tick(39.0) == []
    assert room.participants.tick(40.0) == [CloseVoice(2)]


def test_somebody_who_comes_back_between_grace_and_seat_has_come_anew() -> None:
    room = room_with(ANN, BOB)
    room.participants.disconnect("c2", 1010.0, 10.0)
    room.participants.tick(18.0)
    joined = room.connect("c3", BOB, 1020.0, HELLO)[0]
    assert isinstance(joined, Broadcast)
    assert isinstance(joined.message, PeerJoined)


def test_leaving_is_at_once_and_for_every_tab() -> None:
    room = room_with(ANN, BOB, BOB)
    assert room.participants.leave(2) == [
        Disconnect("c2", 4003, "LEFT"),
        Disconnect("c3", 4003, "LEFT"),
        CloseVoice(2),
        Broadcast(("c1",), PeerLeft("R", "2")),
    ]
    assert room.participants.disconnect("c2", 1010.0, 10.0) == []


def test_somebody_unknown_leaves_with_the_voice_that_may_run() -> None:
    assert room_with(ANN).participants.leave(9) == [CloseVoice(9)]


def test_people_on_other_replicas_come_and_go_like_our_own() -> None:
    room = room_with(ANN)
    bob = Member(2, "Bob", "member", "", 200, 200, visit=2, elsewhere=True)
    view = Present("2", "Bob", "member", 200, 200, muted=False, muted_by="")
    assert tables_say(room, ANN, bob) == [Broadcast(("c1",), PeerJoined("R", "2", "Bob", view))]
    assert tables_say(room, ANN) == [Broadcast(("c1",), PeerLeft("R", "2"))]


def test_who_left_on_another_replica_is_closed_here() -> None:
    room = room_with(ANN, BOB)
    assert tables_say(room, ANN) == [
        Disconnect("c2", 4003, "LEFT"),
        CloseVoice(2),
        Broadcast(("c1",), PeerLeft("R", "2")),
    ]


def test_who_connected_while_the_tables_were_read_stays() -> None:
    room = room_with(ANN)
    asked_when = room.participants.here()
    room.connect("c2", BOB, 1001.0, HELLO)
    assert tables_say(room, ANN, as_of=asked_when) == []


def test_who_went_to_another_replica_neither_leaves_nor_loses_the_voice() -> None:
    room = room_with(ANN, BOB)
    room.participants.disconnect("c2", 1010.0, 10.0)
    elsewhere = Member(2, "Bob", "member", "", 200, 200, visit=2, elsewhere=True)
    assert tables_say(room, ANN, elsewhere) == []
    assert room.participants.tick(18.0) == [DropPresence(2)]
    assert room.participants.tick(40.0) == []


def test_a_room_is_idle_when_nobody_of_ours_is_in_it_any_more() -> None:
    room = room_with(ANN)
    assert not room.idle
    room.participants.disconnect("c1", 1010.0, 10.0)
    room.participants.tick(18.0)
    assert not room.idle  # the seat is kept
    room.participants.tick(40.0)
    assert room.idle
