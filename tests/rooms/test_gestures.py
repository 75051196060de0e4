"""Gestures: shown to who is here and passed on, at a person's pace."""

from rooms.core.effects import Broadcast, PassOn
from rooms.core.gestures import REACTIONS_PER_SECOND, Gestures
from rooms.frames.incoming import Reaction, Typing
from rooms.frames.outgoing import PeerTyping, Reacted

ANN, BOB = 1, 2
CONNECTIONS = {"a1": ANN, "b1": BOB, "a2": ANN}
WRITES = PeerTyping("R", "1", "Ann", typing=True)
CHEERS = Reacted("R", "1", "🎉")


def test_that_somebody_writes_is_for_the_others_and_an_emoji_for_everybody() -> None:
    gestures = Gestures("R", CONNECTIONS)
    assert gestures.made(ANN, "Ann", Typing(), 0.0) == [Broadcast(("b1",), WRITES), PassOn(WRITES)]
    everybody = ("a1", "b1", "a2")
    assert gestures.made(ANN, "Ann", Reaction("🎉"), 0.0) == [Broadcast(everybody, CHEERS), PassOn(CHEERS)]


def test_from_elsewhere_it_is_shown_and_not_passed_on() -> None:
    gestures = Gestures("R", CONNECTIONS)
    assert gestures.show(WRITES) == [Broadcast(("b1",), WRITES)]
    assert Gestures("R", {"a1": ANN}).show(WRITES) == []


def test_what_is_too_much_is_left_out() -> None:
    gestures = Gestures("R", CONNECTIONS)
    assert gestures.made(ANN, "Ann", Typing(), 10.0)
    assert gestures.made(ANN, "Ann", Typing(), 10.9) == []
    assert gestures.made(BOB, "Bob", Typing(), 10.9)
    assert gestures.made(ANN, "Ann", Typing(typing=False), 12.0)
    shown = [gestures.made(ANN, "Ann", Reaction("🎉"), 20.0) for _ in range(2 * REACTIONS_PER_SECOND)]
    assert sum(map(bool, shown)) == REACTIONS_PER_SECOND
