"""Old messages are forgotten: the oldest first, all of them, and the log goes on where it was."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from common import database
from rooms.log.retention import BATCH, Retention
from tests.rooms import kit

KEEP = timedelta(days=30)


@pytest.fixture
def forgot() -> list[str]:
    """The rooms of which something was forgotten."""
    return []


@pytest.fixture
async def retention(rooms: kit.Rooms, database_url: str, forgot: list[str]) -> AsyncIterator[Retention]:
    async with database.connect(database_url) as opened:
        yield Retention(opened, KEEP, forgot.append)


async def fill(rooms: kit.Rooms, room_id: str, old: int, young: int) -> None:
    """Messages 1 … old of 31 days ago, then young ones."""
    await rooms.execute(
        "WITH head AS (UPDATE rooms.heads SET last_seq = $2::bigint + $3::bigint WHERE room_id = $1)"
        " INSERT INTO rooms.events (room_id, seq, user_id, text, client_msg_id, created_at)"
        " SELECT $1, n, 1, n::text, n::text,"
        "   now() - CASE WHEN n <= $2::bigint THEN interval '31 days' ELSE interval '29 days' END"
        " FROM generate_series(1, $2::bigint + $3::bigint) n",
        room_id,
        old,
        young,
    )


async def fetch(database_url: str, sql: str, room_id: str) -> list[object]:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch(sql, UUID(room_id))
    await connection.close()
    return [row[0] for row in rows]


async def texts(database_url: str, room_id: str) -> list[object]:
    return await fetch(database_url, "SELECT text FROM rooms.events WHERE room_id = $1 ORDER BY seq", room_id)


async def test_the_old_ones_of_every_room_go_in_batches_and_the_young_stay(
    rooms: kit.Rooms, retention: Retention, forgot: list[str], database_url: str
) -> None:
    one, other = await rooms.create(), await rooms.create()
    await fill(rooms, one, 2 * BATCH + 3, 2)
    await fill(rooms, other, 0, 3)
    assert await retention.sweep() == 2 * BATCH + 3
    assert forgot == [one]
    assert await texts(database_url, one) == [str(2 * BATCH + 4), str(2 * BATCH + 5)]
    assert await texts(database_url, other) == ["1", "2", "3"]
    assert await retention.sweep() == 0


async def test_numbers_go_on_when_the_whole_log_is_forgotten(
    rooms: kit.Rooms, retention: Retention, database_url: str
) -> None:
    room_id = await rooms.create()
    await rooms.join(room_id, 1)
    await fill(rooms, room_id, 7, 0)
    assert await retention.sweep() == 7
    ann = await rooms.connect(room_id, 1)
    assert ann.seen[0]["payload"]["last_seq"] == 7
    await ann.send("chat", {"message": "still here", "client_msg_id": "x"})
    assert (await ann.payload("chat_ack"))["seq"] == 8


async def test_what_stays_is_whole_even_where_a_clock_went_back(
    rooms: kit.Rooms, retention: Retention, database_url: str
) -> None:
    room_id = await rooms.create()
    await fill(rooms, room_id, 2, 3)
    await rooms.execute(
        "UPDATE rooms.events SET created_at = now() - interval '32 days' WHERE room_id = $1 AND seq = 4",
        room_id,
    )
    await retention.sweep()
    assert await texts(database_url, room_id) == ["3", "4", "5"]


async def test_who_comes_back_from_before_the_new_beginning_is_told_so(
    rooms: kit.Rooms, retention: Retention, database_url: str
) -> None:
    room_id = await rooms.create()
    await rooms.join(room_id, 1)
    await fill(rooms, room_id, 5, 3)
    await retention.sweep()
    epoch = (await rooms.connect(room_id, 1)).seen[0]["payload"]["epoch"]
    before = await rooms.connect(room_id, 1, epoch=epoch, last_seq=2)
    assert (await before.payload("resumed"))["recovered"] is False
    assert not [frame for frame in before.seen if frame["type"] == "chat"]
    after = await rooms.connect(room_id, 1, epoch=epoch, last_seq=5)
    assert (await after.payload("resumed"))["recovered"] is True
    assert [frame["seq"] for frame in after.seen if frame["type"] == "chat"] == [6, 7, 8]


async def test_what_is_forgotten_is_not_unread(
    rooms: kit.Rooms, retention: Retention, database_url: str
) -> None:
    room_id = await rooms.create()
    await rooms.join(room_id, 1)
    await rooms.execute("UPDATE rooms.members SET read_seq = 0 WHERE room_id = $1", room_id)
    await fill(rooms, room_id, 5, 3)
    await retention.sweep()
    read = await fetch(database_url, "SELECT read_seq FROM rooms.members WHERE room_id = $1", room_id)
    assert read == [5]


async def test_two_replicas_that_forget_at_once_do_not_hurt_each_other(
    rooms: kit.Rooms, retention: Retention, database_url: str
) -> None:
    room_id = await rooms.create()
    await fill(rooms, room_id, 3 * BATCH, 1)
    async with database.connect(database_url) as opened:
        await asyncio.gather(retention.sweep(), Retention(opened, KEEP).sweep())
    await retention.sweep()
    assert await texts(database_url, room_id) == [str(3 * BATCH + 1)]
