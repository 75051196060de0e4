"""What is missing of a speaker, when it is asked for, and what is remembered to answer others."""

from media.history import SIZE, History, Packet
from media.missing import AGAIN, TIMES, WORTH, Missing


def packet(number: int, at: float = 0.0) -> Packet:
    return Packet(number, number * 960, 0, 30, b"%d" % number, None, at)


def test_a_gap_is_asked_for_at_once_and_again_until_it_is_filled() -> None:
    missing = Missing()
    missing.gap(10, 13, now=1.0)
    assert missing.due(13, 1.0) == [11, 12]
    assert missing.due(13, 1.0 + AGAIN / 2) == []
    assert missing.came(11)
    assert missing.due(13, 1.0 + AGAIN) == [12]
    assert missing.came(12)
    assert not missing.wanted


def test_what_redundancy_filled_was_never_asked_for() -> None:
    missing = Missing()
    missing.gap(10, 12, now=1.0)
    assert not missing.came(11)
    assert missing.due(12, 1.0) == []


def test_what_does_not_come_is_given_up() -> None:
    missing = Missing()
    missing.gap(10, 12, now=0.0)
    asked = [missing.due(12, AGAIN * turn) for turn in range(TIMES + 5)]
    assert [each for each in asked if each] == [[11]] * TIMES
    missing.gap(12, 14, now=9.0)
    assert missing.due(13 + WORTH + 1, 9.0) == []
    assert not missing.wanted


def test_of_a_long_gap_only_the_end_is_worth_it() -> None:
    missing = Missing()
    missing.gap(0, 1000, now=0.0)
    assert missing.due(1000, 0.0) == list(range(1000 - WORTH, 1000))


def test_a_history_keeps_the_first_packet_of_an_index_and_forgets_the_oldest() -> None:
    history = History()
    assert all(history.add(packet(number)) for number in range(100, 100 + SIZE))
    assert not history.add(packet(100)._replace(opus=b"another"))
    assert history.get(100) == packet(100)
    assert history.add(packet(100 + SIZE))
    assert history.get(100) is None
    assert not history.add(packet(100)), "it was here, and nobody can tell any more"


def test_a_history_tells_what_came_lately_in_order() -> None:
    history = History()
    assert history.latest(10_000) == []
    for number in (5, 7, 6, 8):
        history.add(packet(number))
    assert [each.number for each in history.latest(3 * 960)] == [6, 7, 8]
    history.clear()
    assert history.latest(3 * 960) == []
    assert not history.add(packet(8 - SIZE))
