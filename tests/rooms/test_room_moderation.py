"""Moderation and settings, as Room sees them: what the log tells has the same effects on every replica."""

from dataclasses import replace

import pytest

from common.errors import Forbidden
from rooms.core.effects import Broadcast, CloseVoice, Disconnect, Effect, MuteVoice, Rule, Ruling, Send
from rooms.core.events import Body, Changed, Ruled, Timed
from rooms.core.participant import Member
from rooms.frames.codec import Frame
from rooms.frames.incoming import Moderate, Mute, Offer
from rooms.frames.outgoing import (
    Ack,
    Error,
    ParticipantUpdated,
    PeerJoined,
    PeerLeft,
    Present,
    RoomView,
    State,
    TimerView,
)
from tests.rooms.ann_and_bob import ANN, ANN_HERE, BOB, BOB_HERE, HELLO, happens, room_with, tables_say


def bob(**different: object) -> Present:
    """Bob as the others see him."""
    return Present(**{**{name: getattr(BOB_HERE, name) for name in Present.__slots__}, **different})


def updated(view: Present) -> Broadcast:
    return Broadcast(("c1", "c2"), ParticipantUpdated("R", view.user_id, view))


def test_whether_somebody_may_is_for_the_tables_to_say_and_the_moderator_hears_it() -> None:
    room = room_with(ANN, BOB)
    kick = Moderate("kick", user_id=2)
    (rule,) = room.receive("c1", Frame(kick, "5"), 1002.0)
    assert rule == Rule("c1", "5", 1, kick)
    assert isinstance(rule, Rule)
    assert room.ruled(rule, Ruling(42)) == [Send("c1", Ack(42), "5")]
    assert room.ruled(rule, Ruling(42, already=True)) == [Send("c1", Ack(42, duplicate=True), "5")]
    no = Forbidden("Only the owner and moderators may do that.", code="MODERATORS_ONLY")
    refused = Error("MODERATORS_ONLY", no.message, "5", retryable=False)
    assert room.ruled(rule, no) == [Send("c1", refused, "5")]


@pytest.mark.parametrize(("action", "reason"), [("kick", "KICKED"), ("ban", "BANNED")])
def test_who_is_kicked_or_banned_goes_with_every_tab_and_the_voice(action: str, reason: str) -> None:
    room = room_with(ANN, BOB, BOB)
    assert happens(room, 42, Ruled(2, action)) == [
        Disconnect("c2", 4003, reason),
        Disconnect("c3", 4003, reason),
        CloseVoice(2),
        Broadcast(("c1",), PeerLeft("R", "2")),
    ]


def test_who_was_kicked_and_came_back_before_we_heard_of_it_stays() -> None:
    room = room_with(ANN)
    again = Member(2, "Bob", "member", "", 200, 200, visit=3, seq=42)
    room.connect("c2", again, 1001.0, HELLO)
    assert happens(room, 42, Ruled(2, "kick")) == []


def test_a_moderators_mute_is_told_to_the_worker_first_and_shown() -> None:
    room = room_with(ANN, BOB)
    assert happens(room, 42, Ruled(2, "mute")) == [
        MuteVoice(2, True),
        updated(bob(muted=True, muted_by="moderator")),
    ]
    assert happens(room, 43, Ruled(2, "unmute")) == [MuteVoice(2, False), updated(BOB_HERE)]


def test_lifting_a_moderators_mute_opens_no_microphone_that_its_owner_had_closed() -> None:
    room = room_with(ANN, BOB)
    room.receive("c2", Frame(Mute(True)), 1002.0)
    assert happens(room, 42, Ruled(2, "mute")) == [updated(bob(muted=True, muted_by="moderator"))]
    assert happens(room, 43, Ruled(2, "unmute")) == [updated(bob(muted=True, muted_by="self"))]


def test_unmuting_somebody_who_muted_themselves_changes_nothing() -> None:
    room = room_with(ANN, BOB)
    room.receive("c2", Frame(Mute(True)), 1002.0)
    assert happens(room, 42, Ruled(2, "unmute")) == []


def test_a_listener_is_heard_by_nobody_and_may_mute_and_unmute_all_the_same() -> None:
    room = room_with(ANN, BOB)
    assert happens(room, 42, Ruled(2, "role", "listener")) == [
        MuteVoice(2, True),
        updated(bob(role="listener", may_speak=False)),
    ]
    (negotiate,) = room.receive("c2", Frame(Offer("sdp")), 1003.0)
    assert getattr(negotiate, "muted", None) is True  # also in a new voice
    muted, _ = room.receive("c2", Frame(Mute(True)), 1004.0)
    assert muted == updated(bob(role="listener", may_speak=False, muted=True, muted_by="self"))
    assert happens(room, 43, Ruled(2, "role", "member")) == [updated(bob(muted=True, muted_by="self"))]


def test_in_a_listen_only_room_members_are_silent_and_moderators_are_not() -> None:
    room = room_with(ANN, BOB)
    assert happens(room, 42, Changed(settings(listen_only=True))) == [MuteVoice(2, True)]
    assert room.participants.present() == (ANN_HERE, bob(may_speak=False))
    assert happens(room, 43, Ruled(2, "role", "moderator")) == [
        MuteVoice(2, False),
        updated(bob(role="moderator")),
    ]
    assert happens(room, 44, Changed(settings())) == []


def test_somebody_whose_connection_is_lost_for_a_moment_is_muted_all_the_same() -> None:
    room = room_with(ANN, BOB)
    room.participants.disconnect("c2", 1010.0, 10.0)
    muted = bob(muted=True, muted_by="moderator", last_seen_unix=1010)
    assert happens(room, 42, Ruled(2, "mute")) == [
        MuteVoice(2, True),
        Broadcast(("c1",), ParticipantUpdated("R", "2", muted)),
    ]


@pytest.mark.parametrize(
    ("ruling", "effects"),
    [
        (Ruled(9, "kick"), [CloseVoice(9)]),
        (Ruled(9, "ban"), [CloseVoice(9)]),
        (Ruled(9, "mute"), [MuteVoice(9, True)]),
        (Ruled(9, "role", "listener"), [MuteVoice(9, True)]),
        (Ruled(9, "unmute"), []),
        (Ruled(9, "unban"), []),
    ],
)
def test_a_voice_may_run_of_somebody_whom_no_replica_knows(ruling: Ruled, effects: list[Effect]) -> None:
    assert happens(room_with(ANN), 42, ruling) == effects


def test_of_who_is_on_another_replica_the_worker_hears_that_they_are_silent_and_no_more() -> None:
    """That replica may have died; if not it knows whether they muted themselves."""
    room = room_with(ANN)
    elsewhere = replace(BOB, elsewhere=True)
    tables_say(room, ANN, elsewhere)
    events: list[tuple[Body, bool | None]] = [
        (Ruled(2, "mute"), True),
        (Ruled(2, "unmute"), None),
        (Changed(settings(listen_only=True)), True),
        (Ruled(2, "role", "moderator"), None),
        (Ruled(2, "role", "member"), True),
        (Changed(settings()), None),
        (Ruled(2, "role", "listener"), True),
    ]
    for seq, (body, silent) in enumerate(events, 42):
        assert MuteVoice(2, silent) in happens(room, seq, body)
    muted_themselves = replace(elsewhere, role="listener", muted_by="self")
    assert not [e for e in tables_say(room, ANN, muted_themselves) if isinstance(e, MuteVoice)]


def test_the_tables_word_from_before_a_ruling_is_old_news() -> None:
    room = room_with(ANN, BOB)
    happens(room, 42, Ruled(2, "mute"))
    assert tables_say(room, ANN, BOB, seq=41) == []


def test_tables_that_know_more_than_the_log_has_told_wait_for_it() -> None:
    """So a kick is a kick, and not a leaving, whichever way it is heard of first."""
    room = room_with(ANN, BOB)
    assert tables_say(room, ANN, seq=42) == []
    assert happens(room, 42, Ruled(2, "kick"))[0] == Disconnect("c2", 4003, "KICKED")
    carol = Member(3, "Carol", "member", "", 300, 300, visit=3, elsewhere=True)
    assert tables_say(room, ANN, carol, seq=43) == []
    (joined,) = happens(room, 43, Timed(TimerView("stopped", 1500, 300, 0, 0)))
    assert isinstance(joined, Broadcast)
    assert isinstance(joined.message, PeerJoined)


def test_settings_and_timer_are_in_the_state_of_who_comes_later() -> None:
    room = room_with(ANN)
    new, running = settings(topic="rings", locked=True), TimerView("running", 1500, 300, 1_002_000, 0)
    happens(room, 42, Changed(new))
    happens(room, 43, Timed(running))
    state = room.connect("c2", BOB, 1001.0, HELLO)[-1]
    assert state == Send("c2", State("R", (ANN_HERE, BOB_HERE), new, running))


def test_with_the_room_everybody_goes_and_every_voice() -> None:
    room = room_with(ANN, BOB)
    assert room.participants.room_deleted() == [
        Disconnect("c1", 4004, "ROOM_DELETED"),
        CloseVoice(1),
        Disconnect("c2", 4004, "ROOM_DELETED"),
        CloseVoice(2),
    ]
    assert room.idle


def settings(**different: object) -> RoomView:
    """The room's settings, but for these."""
    values: dict[str, object] = {
        "name": "Algebra",
        "topic": "",
        "visibility": "public",
        "max_participants": 10,
        "owner_id": "1",
        "locked": False,
        "slow_mode_s": 0,
        "listen_only": False,
    }
    return RoomView(**{**values, **different})  # type: ignore[arg-type]  # as in the table above


def test_a_new_owner_is_free_of_the_mute_that_nobody_could_lift() -> None:
    room = room_with(ANN, BOB)
    happens(room, 42, Ruled(2, "mute"))
    assert happens(room, 43, Ruled(2, "role", "owner")) == [MuteVoice(2, False), updated(bob(role="owner"))]
