"""One timer for many: each is woken at its time, whatever becomes of the others."""

from __future__ import annotations

import asyncio

from rooms.websocket.watch import Watch

PATIENCE = 10.0


class Sleeper:
    """Notes that it was woken; one with a `fault` raises it then."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.woken = asyncio.Event()
        self.aborted = False
        self._fault = fault

    def due(self, now: float) -> None:
        self.woken.set()
        if self._fault is not None:
            raise self._fault

    def abort(self) -> None:
        self.aborted = True
        if self._fault is not None:
            raise self._fault


async def test_each_is_woken_at_its_time_and_the_earlier_first() -> None:
    watch, now = Watch(), asyncio.get_running_loop().time()
    late, early = Sleeper(), Sleeper()
    watch.at(now + 0.02, late)
    watch.at(now + 0.01, early)
    async with asyncio.timeout(PATIENCE):
        await early.woken.wait()
        await late.woken.wait()


async def test_a_fault_in_one_ends_it_and_the_others_are_woken_then_and_later() -> None:
    watch, now = Watch(), asyncio.get_running_loop().time()
    broken, same_time, later = Sleeper(ZeroDivisionError("a fault of ours")), Sleeper(), Sleeper()
    watch.at(now, broken)
    watch.at(now, same_time)
    watch.at(now + 0.01, later)
    async with asyncio.timeout(PATIENCE):
        await same_time.woken.wait()
        await later.woken.wait()
    assert (broken.aborted, same_time.aborted, later.aborted) == (True, False, False)


async def test_at_the_end_everybody_is_ended_whatever_becomes_of_one() -> None:
    watch, at = Watch(), asyncio.get_running_loop().time() + 3600
    sleepers = [Sleeper(), Sleeper(ZeroDivisionError("a fault of ours")), Sleeper()]
    for sleeper in sleepers:
        watch.at(at, sleeper)
    watch.close()
    assert [sleeper.aborted for sleeper in sleepers] == [True, True, True]
