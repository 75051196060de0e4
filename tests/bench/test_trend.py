"""What the soak calls flat, and what it calls a leak."""

import random

import pytest

from bench.soak.trend import FILES, KINDS, MEMORY, TASKS, Kind, trend

HOUR = [5.0 * number for number in range(720)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_up_and_down_is_flat(kind: Kind) -> None:
    chance = random.Random(1)
    seen = [(at, 40 + chance.gauss(0, 4)) for at in HOUR]
    assert trend("media", kind, 16, seen, 18).flat


def test_what_fills_at_first_and_then_stays_is_flat() -> None:
    seen = [(at, 90 + 30 * min(1.0, at / 600)) for at in HOUR]
    found = trend("media", MEMORY, 90, seen, 120)
    assert found.flat
    assert (found.before, found.middle, found.after) == (90, 120, 120)


def test_more_people_at_the_end_than_at_the_beginning_are_no_leak() -> None:
    seen = [(at, 20 + 20 * at / 3600) for at in HOUR]
    assert trend("media", TASKS, 18, seen, 18).flat


@pytest.mark.parametrize(("kind", "lost_an_hour"), [(TASKS, 60), (FILES, 60), (MEMORY, 12)])
def test_what_is_lost_now_and_then_is_seen_among_what_goes_up_and_down(kind: Kind, lost_an_hour: int) -> None:
    chance = random.Random(1)
    seen = [(at, 40 + lost_an_hour * at / 3600 + chance.gauss(0, 4)) for at in HOUR]
    found = trend("media", kind, 10, seen, 10 + lost_an_hour)
    assert not found.flat
    assert found.hourly == pytest.approx(lost_an_hour, rel=0.2)
    assert found.left_hourly == pytest.approx(lost_an_hour, rel=0.01)
