"""Who gets a slot in a room with more voices than slots, who gives it up, and what a liar can win."""

from media.selection import FLOOR_HOLD, HOLD, LOUDEST, Selection
from media.speakers import INTERVAL

QUIET, NORMAL, LOUD = 80, 92, 107


def room(*people: str) -> Selection:
    selection = Selection()
    for each in people:
        selection.quiet(each)
    return selection


def talk(selection: Selection, heard: dict[str, int], seconds: float, start: float = 0.0) -> float:
    """Everybody in `heard` talks, with a pause for breath each second; returns when it is over."""
    now = start
    for turn in range(round(seconds / INTERVAL)):
        now = start + (turn + 1) * INTERVAL
        selection.update({} if turn % 5 == 4 else heard, now)
    return now


def test_the_silent_give_way_first_and_the_longest_silent_first_of_all() -> None:
    selection = room("ann", "bob", "eve", "kim")
    now = talk(selection, {"eve": NORMAL}, 2)
    now = talk(selection, {"bob": NORMAL}, HOLD + 1, now)
    assert selection.begins("kim", now)
    assert selection.giving_way("kim", now) == ["ann", "eve"]


def test_who_speaks_or_has_just_spoken_is_not_moved_for_one_who_begins() -> None:
    selection = room("ann", "bob", "kim")
    now = talk(selection, {"ann": QUIET, "bob": NORMAL}, 3)
    assert selection.begins("kim", now)
    assert selection.giving_way("kim", now) == []
    assert selection.giving_way("kim", now + HOLD / 2) == []
    assert selection.giving_way("kim", now + HOLD) == ["ann", "bob"]


def test_one_who_is_much_louder_for_a_while_gets_the_slot_of_the_quietest() -> None:
    selection = room("ann", "bob", "kim")
    talkers = {"ann": QUIET, "bob": LOUD, "kim": LOUD}
    now = talk(selection, {"ann": QUIET, "bob": LOUD}, 3)
    selection.update(talkers, now + INTERVAL)
    assert selection.giving_way("kim", now + INTERVAL) == []
    now = talk(selection, talkers, 3, now)
    assert selection.giving_way("kim", now) == ["ann"]


def test_the_muted_give_way_at_once() -> None:
    selection = room("ann", "bob", "kim")
    now = talk(selection, {"ann": NORMAL, "bob": NORMAL}, 3)
    selection.quiet("bob")
    assert selection.giving_way("kim", now) == ["bob"]


def test_the_floor_stays_with_who_has_it_through_a_breath_and_an_interjection() -> None:
    selection = room("ann", "bob")
    now = talk(selection, {"ann": NORMAL}, 4)
    assert selection.dominant == "ann"
    now = talk(selection, {"ann": NORMAL, "bob": LOUD}, 0.4, now)
    assert selection.dominant == "ann"
    now = talk(selection, {"bob": NORMAL}, FLOOR_HOLD + INTERVAL, now)
    assert selection.dominant == "bob"
    talk(selection, {}, FLOOR_HOLD + INTERVAL, now)
    assert selection.dominant is None


def test_who_leaves_has_neither_slot_nor_floor() -> None:
    selection = room("ann", "bob")
    now = talk(selection, {"ann": NORMAL}, 2)
    selection.remove("ann")
    assert selection.dominant is None
    assert selection.giving_way("bob", now + 60) == []


def test_to_claim_more_than_loud_is_no_use() -> None:
    """The protocol's loudest is 20 dB above a loud voice, and counts as that."""
    selection = room("ann", "liar")
    now = talk(selection, {"ann": LOUDEST}, 3)
    now = talk(selection, {"ann": LOUDEST, "liar": 127}, 5, now)
    assert selection.giving_way("liar", now) == []
    assert selection.dominant == "ann"


def test_to_claim_to_shout_all_the_time_is_silence_after_a_while() -> None:
    """So is a fan, and music that never pauses."""
    selection = room("ann", "liar")
    now = 0.0
    speaking = []
    for turn in range(5 * 60 * 5):
        now = turn * INTERVAL
        speaking.append("liar" in selection.update({"liar": 127}, now))
    until = speaking.index(False) * INTERVAL
    assert 30 < until < 90
    assert not any(speaking[round(until / INTERVAL) :])
    assert not selection.begins("liar", now)
    assert selection.begins("ann", now)
    assert selection.giving_way("ann", now) == ["liar"]


def test_one_who_talks_for_long_with_pauses_is_no_fan() -> None:
    selection = room("ann")
    now = talk(selection, {"ann": LOUD}, 300)
    assert selection.update({"ann": LOUD}, now + INTERVAL) == ["ann"]


def test_after_the_noise_has_stopped_the_voice_counts_again() -> None:
    selection = room("ann")
    for turn in range(500):
        selection.update({"ann": LOUD}, turn * INTERVAL)
    selection.update({}, 501 * INTERVAL)
    assert selection.begins("ann", 502 * INTERVAL)
    assert selection.update({"ann": NORMAL}, 502 * INTERVAL) == ["ann"]
