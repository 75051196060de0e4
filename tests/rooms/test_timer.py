"""The study timer, as its documentation: arithmetic on milliseconds."""

import pytest

from common.errors import Conflict
from rooms.core.timer import UNSET, Phase, pause, phase, start, stop
from rooms.frames.outgoing import TimerView

MINUTE = 60_000
NOON = 1_795_348_800_000  # any moment


def test_a_timer_that_nobody_has_set_is_stopped_at_25_and_5_minutes() -> None:
    assert TimerView("stopped", 1500, 300, started_at_ms=0, elapsed_ms=0) == UNSET
    assert phase(UNSET, NOON) == Phase("", remaining_ms=0, round=0)


def test_focus_then_break_then_the_next_round() -> None:
    running = start(UNSET, NOON)
    assert running == TimerView("running", 1500, 300, started_at_ms=NOON, elapsed_ms=0)
    assert phase(running, NOON) == Phase("focus", 25 * MINUTE, 1)
    assert phase(running, NOON + 25 * MINUTE - 1) == Phase("focus", 1, 1)
    assert phase(running, NOON + 25 * MINUTE) == Phase("break", 5 * MINUTE, 1)
    assert phase(running, NOON + 30 * MINUTE) == Phase("focus", 25 * MINUTE, 2)
    assert phase(running, NOON + 10 * 30 * MINUTE + 26 * MINUTE) == Phase("break", 4 * MINUTE, 11)


def test_without_a_break_one_focus_follows_the_other() -> None:
    running = start(UNSET, NOON, 60, 0)
    assert phase(running, NOON + MINUTE) == Phase("focus", MINUTE, 2)


def test_a_pause_is_taken_out_of_the_time() -> None:
    paused = pause(start(UNSET, NOON), NOON + 10 * MINUTE)
    assert paused == TimerView("paused", 1500, 300, started_at_ms=0, elapsed_ms=10 * MINUTE)
    assert phase(paused, NOON + 99 * MINUTE) == Phase("focus", 15 * MINUTE, 1)  # it stands still
    again = start(paused, NOON + 60 * MINUTE)
    assert again == TimerView("running", 1500, 300, started_at_ms=NOON + 50 * MINUTE, elapsed_ms=0)
    assert phase(again, NOON + 60 * MINUTE) == Phase("focus", 15 * MINUTE, 1)


def test_doing_again_what_is_so_changes_nothing() -> None:
    running = start(UNSET, NOON)
    assert start(running, NOON + MINUTE) == running
    assert start(running, NOON + MINUTE, 1500, 300) == running
    paused = pause(running, NOON + MINUTE)
    assert pause(paused, NOON + 2 * MINUTE) == paused
    assert stop(UNSET) == UNSET


def test_other_lengths_begin_anew() -> None:
    running = start(UNSET, NOON)
    longer = TimerView("running", 3000, 300, started_at_ms=NOON + MINUTE, elapsed_ms=0)
    assert start(running, NOON + MINUTE, focus_s=3000) == longer
    paused = pause(running, NOON + MINUTE)
    assert start(paused, NOON + MINUTE, focus_s=3000) == longer


def test_stopping_goes_back_to_the_beginning_and_keeps_the_lengths() -> None:
    running = start(UNSET, NOON, 600, 60)
    stopped = TimerView("stopped", 600, 60, started_at_ms=0, elapsed_ms=0)
    assert stop(running) == stopped
    assert stop(running, break_s=0) == TimerView("stopped", 600, 0, started_at_ms=0, elapsed_ms=0)
    assert phase(start(stopped, NOON), NOON) == Phase("focus", 10 * MINUTE, 1)


def test_a_stopped_timer_cannot_be_paused() -> None:
    with pytest.raises(Conflict) as caught:
        pause(UNSET, NOON)
    assert caught.value.code == "TIMER_STOPPED"


def test_a_clock_that_is_behind_ours_shows_the_beginning() -> None:
    assert phase(start(UNSET, NOON), NOON - 5) == Phase("focus", 25 * MINUTE, 1)
