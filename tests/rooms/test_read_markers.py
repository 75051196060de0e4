"""Read markers: however many are sent, the tables are written to seldom, and the farthest counts."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import pytest

from rooms.tables import read_markers
from rooms.tables.members import Members
from rooms.tables.read_markers import ReadMarkers
from tests.rooms import kit


async def test_many_of_one_participant_are_two_writes(
    stack: kit.Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One at once, and one of the farthest a moment later: here, when the service stops."""
    monkeypatch.setattr(read_markers, "SECONDS", 3600.0)
    set_read, written = Members.set_read, list[int]()

    async def noted(self: Members, room_id: UUID, user_id: int, seq: int) -> None:
        written.append(seq)
        await set_read(self, room_id, user_id, seq)

    monkeypatch.setattr(Members, "set_read", noted)
    async with stack.running() as rooms:
        room_id = await rooms.create()
        ann, bob = await rooms.enter(room_id, 1, 2)
        for _ in range(9):
            await ann.send("chat", {"message": "hi"})
            await ann.until("chat_ack")
        while bob.seen[-1].get("seq") != 9:
            await bob.next()
        for seq in [*range(1, 10), *[4] * 81]:
            await bob.send("read", {"seq": seq})
        await bob.send("ping")
        await bob.until("pong")
    assert len(written) <= 2
    assert written[-1] == 9
    connection = await asyncpg.connect(stack.database_url)
    assert await connection.fetchval("SELECT read_seq FROM rooms.members WHERE user_id = 2") == 9
    await connection.close()


async def test_what_is_not_ahead_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    written: asyncio.Queue[tuple[str, int, int]] = asyncio.Queue()

    async def write(room_id: str, user_id: int, seq: int) -> None:
        written.put_nowait((room_id, user_id, seq))

    monkeypatch.setattr(read_markers, "SECONDS", 3600.0)
    tasks: set[asyncio.Future[None]] = set()
    markers = ReadMarkers(write, lambda work: tasks.add(asyncio.ensure_future(work)))
    markers.move("a", 1, 5)
    assert await written.get() == ("a", 1, 5)
    for seq in (5, 3, 5):
        markers.move("a", 1, seq)
    markers.move("b", 1, 2)
    await markers.drain()
    assert [written.get_nowait() for _ in range(written.qsize())] == [("b", 1, 2)]
