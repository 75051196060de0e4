"""Hands and names, as Room sees them: kept first, then shown, so every replica shows them in one order."""

from common.errors import Unavailable
from rooms.core.effects import Broadcast, SaveHand, SaveName, Send
from rooms.core.participant import Member
from rooms.frames.codec import Frame
from rooms.frames.incoming import Hand
from rooms.frames.outgoing import Error, ParticipantUpdated, Present
from tests.rooms.ann_and_bob import ANN, BOB, BOB_HERE, HELLO, room_with, tables_say

BOB_WAITS = Present("2", "Bob", "member", 200, 1001, muted=False, muted_by="", hand_raised_at=1_002_500)


def test_a_hand_is_kept_and_then_shown_with_its_time() -> None:
    room = room_with(ANN, BOB)
    (save,) = room.receive("c2", Frame(Hand(True), "3"), 1002.5)
    assert save == SaveHand("c2", "3", 2, 1_002_500)
    assert isinstance(save, SaveHand)
    assert room.participants.hand_saved(save, None) == [
        Broadcast(("c1", "c2"), ParticipantUpdated("R", "2", BOB_WAITS))
    ]


def test_a_hand_that_is_up_stays_where_it_is_in_the_row() -> None:
    room = room_with(ANN, BOB)
    room.participants.hand_saved(SaveHand("c2", None, 2, 1_002_500), None)
    assert room.receive("c2", Frame(Hand(True), "4"), 1009.0) == [
        Send("c2", ParticipantUpdated("R", "2", BOB_WAITS), "4")
    ]
    assert room.receive("c2", Frame(Hand(False)), 1010.0) == [SaveHand("c2", None, 2, None)]


def test_a_hand_that_could_not_be_kept_is_not_up() -> None:
    room = room_with(ANN, BOB)
    asked = SaveHand("c2", "3", 2, 1_002_500)
    assert room.participants.hand_saved(asked, Unavailable("Away.")) == [
        Send("c2", Error("UNAVAILABLE", "Away.", "3", retryable=True), "3")
    ]
    assert BOB_HERE in room.participants.present()


def test_a_hand_on_another_replica_is_seen_here() -> None:
    room = room_with(ANN)
    bob = Member(2, "Bob", "member", "", 200, 200, visit=2, elsewhere=True)
    tables_say(room, ANN, bob)
    up = Member(2, "Bob", "member", "", 200, 200, visit=2, elsewhere=True, hand_raised_at=1_002_500)
    view = Present("2", "Bob", "member", 200, 200, muted=False, muted_by="", hand_raised_at=1_002_500)
    assert tables_say(room, ANN, up) == [Broadcast(("c1",), ParticipantUpdated("R", "2", view))]


def test_the_tables_word_from_before_a_hand_was_raised_does_not_lower_it() -> None:
    room = room_with(ANN, BOB)
    asked_when = room.participants.here()
    room.participants.hand_saved(SaveHand("c2", None, 2, 1_002_500), None)
    assert tables_say(room, ANN, BOB, as_of=asked_when) == []


def test_a_newer_token_with_another_name_renames_for_everybody() -> None:
    room = room_with(ANN, BOB)
    assert room.participants.renew(2, "Bob") == []
    assert room.participants.renew(2, "Robert") == [SaveName(2, "Robert")]
    robert = Present("2", "Robert", "member", 200, 1001, muted=False, muted_by="")
    assert room.participants.renamed(SaveName(2, "Robert")) == [
        Broadcast(("c1", "c2"), ParticipantUpdated("R", "2", robert))
    ]


def test_another_tab_with_another_name_renames_too() -> None:
    room = room_with(ANN, BOB)
    robert = Member(2, "Robert", "member", muted_by="", joined_at=200, last_seen=200, visit=2)
    view = Present("2", "Robert", "member", 200, 1001, muted=False, muted_by="")
    assert room.connect("c3", robert, 1002.0, HELLO)[0] == Broadcast(
        ("c1", "c2"), ParticipantUpdated("R", "2", view)
    )
