"""What the soak calls flat, and what it calls a leak."""

import random

import pytest

from bench.soak.trend import FILES, KINDS, MEMORY, TASKS, Kind, trend

HOUR = [5.0 * number for number in range(720)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_up_and_down_is_flat(kind: Kind) -> None:
    chance = random.Random(1)
    seen = [(at, 40 + chance.gauss(0, 4)) for at in HOUR]
    assert trend(kind, seen).flat


def test_what_fills_at_first_and_then_stays_is_flat() -> None:
    seen = [(at, 90 + 30 * min(1.0, at / 600)) for at in HOUR]
    found = trend(MEMORY, seen)
    assert found.flat
    assert (found.first, found.middle, found.last) == (90, 120, 120)


@pytest.mark.parametrize(("kind", "lost_an_hour"), [(TASKS, 60), (FILES, 60), (MEMORY, 12)])
def test_what_is_lost_now_and_then_is_seen_among_what_goes_up_and_down(kind: Kind, lost_an_hour: int) -> None:
    chance = random.Random(1)
    seen = [(at, 40 + lost_an_hour * at / 3600 + chance.gauss(0, 4)) for at in HOUR]
    found = trend(kind, seen)
    assert not found.flat
    assert found.hourly == pytest.approx(lost_an_hour, rel=0.2)
