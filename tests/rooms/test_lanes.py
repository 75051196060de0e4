"""Lanes: in order, and no fault of what runs in them goes unseen."""

import asyncio
import functools
from collections.abc import Awaitable, Callable

import pytest
import structlog.testing

from common.errors import NotFound
from rooms.lanes import Lanes


async def broken() -> None:
    raise ZeroDivisionError("a fault of ours")


async def refused() -> None:
    raise NotFound("There is no such thing.")


async def test_what_is_started_is_done_in_order() -> None:
    lanes, done = Lanes(), list[int]()

    async def note(number: int) -> None:
        await asyncio.sleep(0)
        done.append(number)

    for number in range(3):
        lanes.start("lane", functools.partial(note, number))
    await lanes.drain()
    assert done == [0, 1, 2]


async def test_who_waits_gets_the_fault_and_what_comes_after_it_runs() -> None:
    lanes = Lanes()
    with structlog.testing.capture_logs() as lines:
        with pytest.raises(ZeroDivisionError):
            await lanes.run("lane", broken)
        with pytest.raises(NotFound):
            await lanes.run("lane", refused)
    assert lines == []


async def test_a_fault_that_nobody_waits_for_is_logged() -> None:
    lanes = Lanes()
    with structlog.testing.capture_logs() as lines:
        lanes.start("lane", broken)
        await lanes.drain()
    assert [(line["event"], line["exc_info"]) for line in lines] == [("unexpected error", True)]


async def test_a_fault_after_the_caller_gave_up_is_logged_and_a_refusal_is_none() -> None:
    lanes, held = Lanes(), asyncio.Event()

    async def later(work: Callable[[], Awaitable[None]]) -> None:
        await held.wait()
        await work()

    with structlog.testing.capture_logs() as lines:
        callers = [
            asyncio.create_task(lanes.run(work, functools.partial(later, work))) for work in (broken, refused)
        ]
        await asyncio.sleep(0)  # both wait
        for caller in callers:
            caller.cancel()
        await asyncio.wait(callers)
        held.set()
        await lanes.drain()
        await asyncio.sleep(0)  # callbacks run after the task
    assert [(line["event"], type(line["exc_info"])) for line in lines] == [
        ("unexpected error", ZeroDivisionError)
    ]
