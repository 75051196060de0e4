"""What is asked for while some is being done is done in one go; and who comes and goes is written so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from common.errors import Conflict
from rooms.tables.together import Outcomes, Together
from tests.rooms import kit


class Work:
    """Doubles numbers. `rounds`: what was done together."""

    def __init__(self) -> None:
        self.rounds: list[tuple[list[int], bool]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def __call__(self, numbers: Sequence[int], alone: bool) -> Outcomes[int]:
        self.rounds.append((list(numbers), alone))
        await self.go_on.wait()
        if 13 in numbers:
            raise asyncpg.DataError("13")
        return [
            Conflict("odd", code="ODD") if n % 2 else None if n == 100 and not alone else n * 2
            for n in numbers
        ]


async def turns() -> None:
    """What was asked for is begun."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_first_goes_at_once_and_who_comes_meanwhile_together() -> None:
    work = Work()
    together = Together(work, key=lambda n: n)
    work.go_on.clear()
    first = asyncio.create_task(together.do(2))
    await turns()
    assert work.rounds == [([2], False)]
    others = [asyncio.create_task(together.do(n)) for n in (4, 6, 8)]
    await turns()
    assert len(work.rounds) == 1
    work.go_on.set()
    assert await asyncio.gather(first, *others) == [4, 8, 12, 16]
    assert work.rounds[1:] == [([4, 6, 8], False)]


async def test_each_has_its_own_outcome_and_none_pays_for_another() -> None:
    work = Work()
    together = Together(work, key=lambda n: n)
    work.go_on.clear()
    first = asyncio.create_task(together.do(2))
    await turns()
    asked = [asyncio.create_task(together.do(n)) for n in (4, 13, 5)]
    await turns()
    work.go_on.set()
    four, thirteen, five = await asyncio.gather(*asked, return_exceptions=True)
    assert (await first, four) == (4, 8)
    assert isinstance(thirteen, asyncpg.DataError)
    assert isinstance(five, Conflict)
    assert work.rounds[1:] == [([4, 13, 5], False), ([4], True), ([13], True), ([5], True)]


async def test_what_cannot_go_with_others_goes_alone() -> None:
    work = Work()
    together = Together(work, key=lambda n: n)
    assert await together.do(100) == 200
    assert work.rounds == [([100], False), ([100], True)]


async def test_what_is_slow_keeps_the_next_ones_waiting_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rooms.tables.together.SLOW_SECONDS", 0.02)
    work = Work()
    together = Together(work, key=lambda n: n)
    work.go_on.clear()
    slow = asyncio.create_task(together.do(2))
    await turns()
    work.go_on = asyncio.Event()
    work.go_on.set()
    assert await together.do(4) == 8
    assert not slow.done()
    slow.cancel()


async def test_a_crowd_that_comes_back_is_a_few_transactions(rooms: kit.Rooms) -> None:
    room_ids = [await rooms.create(1) for _ in range(4)]
    people = range(10, 20)
    for room_id in room_ids:
        await rooms.join(room_id, *people)

    async def version(room_id: str) -> int:
        ((found,),) = await rooms.fetch("SELECT roster_version FROM rooms.rooms WHERE id = $1::uuid", room_id)
        return int(found)

    before = [await version(room_id) for room_id in room_ids]
    sockets = await asyncio.gather(
        *(rooms.connect(room_id, user_id) for room_id in room_ids for user_id in people)
    )
    for room_id, counted in zip(room_ids, before, strict=True):
        assert await version(room_id) - counted < len(people)
    rows = await rooms.fetch("SELECT room_id, user_id FROM rooms.presence WHERE expires_at > now()")
    assert len({tuple(row) for row in rows}) == len(sockets) == 40
    for socket in sockets:
        await socket.send("ping")
        await socket.until("pong")


async def test_the_last_seat_is_one_persons_also_in_a_crowd(rooms: kit.Rooms) -> None:
    room_id = await rooms.create(1, max=3)
    await rooms.join(room_id, 2, 3)
    await rooms.execute("UPDATE rooms.rooms SET max_participants = 2")
    await rooms.execute("DELETE FROM rooms.seats")
    dialled = await asyncio.gather(
        *(rooms.dial(rooms.url(room_id, access_token=kit.token(user_id))) for user_id in (1, 2, 3)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, BaseException) for each in dialled) == 1
    assert [row[0] for row in await rooms.fetch("SELECT count(*) FROM rooms.seats")] == [2]


async def test_a_room_whose_row_is_held_keeps_no_other_waiting(rooms: kit.Rooms) -> None:
    held, free = await rooms.create(1), await rooms.create(1)
    other = await asyncpg.connect(rooms.config.database_url)
    try:
        async with other.transaction():
            await other.execute("SELECT FROM rooms.rooms WHERE id = $1::uuid FOR UPDATE", held)
            waits = asyncio.create_task(rooms.connect(held, 1))
            for _ in range(5):
                socket = await rooms.connect(free, 1)
                await socket.ws.close()
            assert not waits.done()
        await waits
    finally:
        await other.close()
