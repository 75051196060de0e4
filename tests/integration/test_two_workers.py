"""Two media workers as processes: one dies or is stopped, and its rooms go on at the other one."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from media import address
from tests import services
from tests.integration.student import PASSWORD, Student
from tests.rooms.kit import PATIENCE

#: Twice what it may take on a machine that has nothing else to do.
GENEROUS_S = 6.0


@pytest.fixture(scope="module")
def chain() -> Iterator[services.Stack]:
    with services.running(passwords=(PASSWORD,), workers=2) as running:
        yield running


@pytest.fixture
async def pair(chain: services.Stack) -> AsyncIterator[tuple[Student, Student]]:
    """Two people who hear each other."""
    async with AsyncExitStack() as people:
        anna, boris = [
            await people.enter_async_context(Student.registered(chain.url, chain.ws_url, name))
            for name in ("Anna", "Boris")
        ]
        room = await anna.create_room("Two workers")
        for student in (anna, boris):
            await people.enter_async_context(student.in_room(room))
            await student.speak_up()
        assert await anna.is_heard_by(boris)
        assert await boris.is_heard_by(anna)
        yield anna, boris


async def lost_and_back(student: Student) -> None:
    """As the page does it."""
    assert (await student.frame("voice_lost"))["reason"] == "worker_lost"
    await student.speak_up()


def port_of(student: Student) -> int:
    """The worker's, that the student's voice goes to."""
    return address.unpack(student.voice.server)[1]


@pytest.mark.parametrize("how", ["kill", "terminate"])
async def test_a_room_goes_on_at_the_other_worker(
    chain: services.Stack,
    pair: tuple[Student, Student],
    how: str,
    record_property: Callable[[str, object], None],
) -> None:
    anna, boris = pair
    port = port_of(anna)
    (name,) = [each.name for each in chain.services.values() if port in [port.number for port in each.ports]]
    began = time.monotonic()
    ending = asyncio.create_task(asyncio.to_thread(getattr(chain, how), name))
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(lost_and_back(anna), lost_and_back(boris))
        assert await anna.is_heard_by(boris)
        assert await boris.is_heard_by(anna)
        gap = time.monotonic() - began
        assert port_of(anna) == port_of(boris) != port
        record_property("gap_ms", round(gap * 1000))
        sys.stdout.write(f"{how}: {gap * 1000:.0f} ms until both hear each other again\n")
        assert gap < GENEROUS_S
    finally:
        await ending
        chain.start(name)
        await asyncio.to_thread(chain.wait_until_ready)
