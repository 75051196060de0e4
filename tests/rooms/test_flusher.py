"""When queued frames go out, on a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from rooms.websocket.flusher import COALESCE_SECONDS, Flusher


class Loop:
    """As much of an event loop as a flusher needs."""

    def __init__(self) -> None:
        self.now = 100.0
        self.soon: list[Callable[[], None]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, call: Callable[[], None]) -> None:
        self.soon.append(call)

    def call_later(self, delay: float, call: Callable[[], None]) -> None:
        self.later.append((self.now + delay, call))

    def run_until(self, now: float) -> None:
        """What is due soon, then what is due by then."""
        soon, self.soon = self.soon, []
        for call in soon:
            call()
        for when, call in [each for each in self.later if each[0] <= now]:
            self.later.remove((when, call))
            self.now = when
            call()
        self.now = now


class Queue:
    def __init__(self, fault: Exception | None = None) -> None:
        self.flushed_at = -1.0
        self.flushes = 0
        self.aborted = False
        self._fault = fault

    def flush(self) -> None:
        if self._fault is not None:
            raise self._fault
        self.flushes += 1

    def abort(self) -> None:
        self.aborted = True


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    loop = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    return loop


def test_what_is_quiet_goes_at_once_and_together(loop: Loop) -> None:
    flusher, queues = Flusher(), [Queue(), Queue()]
    flusher.add(queues, [])
    assert [queue.flushes for queue in queues] == [0, 0]
    assert len(loop.soon) == 1
    loop.run_until(loop.now)
    assert [queue.flushes for queue in queues] == [1, 1]


def test_what_was_written_a_moment_ago_waits_for_more(loop: Loop) -> None:
    flusher, queue = Flusher(), Queue()
    flusher.due(queue)
    loop.run_until(loop.now + 0.001)
    flusher.due(queue)
    loop.run_until(loop.now + 0.001)
    assert queue.flushes == 1
    loop.run_until(loop.now + COALESCE_SECONDS)
    assert queue.flushes == 2


def test_a_quiet_one_does_not_wait_for_a_busy_one(loop: Loop) -> None:
    flusher, busy, quiet = Flusher(), Queue(), Queue()
    flusher.due(busy)
    loop.run_until(loop.now + 0.001)
    flusher.due(busy)
    flusher.due(quiet)
    loop.run_until(loop.now + 0.001)
    assert (busy.flushes, quiet.flushes) == (1, 1)


def test_nobody_waits_longer_than_that(loop: Loop) -> None:
    flusher, first, second = Flusher(), Queue(), Queue()
    flusher.add([first, second], [])
    loop.run_until(loop.now + 0.001)
    flusher.due(first)
    asked = loop.now
    loop.run_until(loop.now + 0.003)
    flusher.due(second)
    loop.run_until(asked + COALESCE_SECONDS)
    assert (first.flushes, second.flushes) == (2, 2)


def test_a_fault_in_one_ends_it_and_the_others_are_written(loop: Loop) -> None:
    flusher, broken, after = Flusher(), Queue(ZeroDivisionError("a fault of ours")), Queue()
    flusher.add([broken, after], [])
    loop.run_until(loop.now)
    assert (broken.aborted, after.aborted, after.flushes) == (True, False, 1)
