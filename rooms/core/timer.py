"""The shared study timer, as arithmetic: the time is passed in, in unix milliseconds.

A cycle is `focus_s` of work and then `break_s` of rest, over and over, until somebody
stops it. A pause is taken out of the time: `started_at_ms` moves on by its length.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from common.errors import Conflict
from rooms.frames.outgoing import TimerView

STOPPED, RUNNING, PAUSED = "stopped", "running", "paused"
ACTIONS = ("start", "pause", "stop")
FOCUS_SECONDS, BREAK_SECONDS = 1500, 300  # of a timer that nobody has set yet
SHORTEST_FOCUS, LONGEST_FOCUS = 60, 4 * 3600
LONGEST_BREAK = 3600

UNSET = TimerView(STOPPED, FOCUS_SECONDS, BREAK_SECONDS, 0, 0)


@dataclass(frozen=True, slots=True)
class Phase:
    """Where a timer stands: "focus", "break", or "" when stopped; `round` counts cycles from 1."""

    name: str
    remaining_ms: int
    round: int


def elapsed_ms(timer: TimerView, now_ms: int) -> int:
    """How much of the cycles has passed."""
    if timer.state == RUNNING:
        return max(0, now_ms - timer.started_at_ms)
    return timer.elapsed_ms


def phase(timer: TimerView, now_ms: int) -> Phase:
    """Where it stands now."""
    if timer.state == STOPPED:
        return Phase("", 0, 0)
    focus, cycle = timer.focus_s * 1000, (timer.focus_s + timer.break_s) * 1000
    cycles, into = divmod(elapsed_ms(timer, now_ms), cycle)
    if into < focus:
        return Phase("focus", focus - into, cycles + 1)
    return Phase("break", cycle - into, cycles + 1)


def start(timer: TimerView, now_ms: int, focus_s: int | None = None, break_s: int | None = None) -> TimerView:
    """Run; after a pause, go on. With other lengths it begins anew. Running as it is: the same."""
    lengths = timer.focus_s if focus_s is None else focus_s, timer.break_s if break_s is None else break_s
    if timer.state == STOPPED or lengths != (timer.focus_s, timer.break_s):
        return TimerView(RUNNING, *lengths, started_at_ms=now_ms, elapsed_ms=0)
    if timer.state == PAUSED:
        return replace(timer, state=RUNNING, started_at_ms=now_ms - timer.elapsed_ms, elapsed_ms=0)
    return timer


def pause(timer: TimerView, now_ms: int) -> TimerView:
    """Stand still. Raises Conflict (TIMER_STOPPED) where nothing runs."""
    if timer.state == STOPPED:
        raise Conflict("The timer is stopped: start it first.", code="TIMER_STOPPED")
    return replace(timer, state=PAUSED, started_at_ms=0, elapsed_ms=elapsed_ms(timer, now_ms))


def stop(timer: TimerView, focus_s: int | None = None, break_s: int | None = None) -> TimerView:
    """Back to the beginning, with other lengths if wanted."""
    return TimerView(
        STOPPED,
        timer.focus_s if focus_s is None else focus_s,
        timer.break_s if break_s is None else break_s,
        started_at_ms=0,
        elapsed_ms=0,
    )
