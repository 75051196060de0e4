"""`Idempotency-Key`: the same again is the same room, through the real store and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from common import database
from common.errors import InvalidFields
from common.migrate import migrate
from common.tokens import Identity
from rooms.serve import MIGRATIONS
from rooms.tables.idempotency import Key
from rooms.tables.records import RoomRecord
from rooms.tables.store import Store

ANN, BOB = (Identity(number, f"s{number}", "Somebody", 2e9, "") for number in (1, 2))


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[database.Database]:
    async with database.connect(database_url) as opened:
        await migrate(opened, "rooms", MIGRATIONS)
        yield opened


async def create(
    opened: database.Database, who: Identity, key: str = "one", body: bytes = b"body"
) -> RoomRecord:
    return await Store(opened).create(
        who, name="Room", topic="", visibility="public", max_participants=10, key=Key(key, body)
    )


async def count(opened: database.Database) -> int:
    async with opened.connection() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM rooms.rooms") or 0)


async def test_the_same_again_is_the_first_answer(opened: database.Database) -> None:
    first = await create(opened, ANN)
    assert await create(opened, ANN) == first
    assert await count(opened) == 1


async def test_twenty_at_once_make_one_room(opened: database.Database) -> None:
    rooms = await asyncio.gather(*(create(opened, ANN) for _ in range(20)))
    assert len(set(rooms)) == 1
    assert await count(opened) == 1


async def test_another_body_is_refused_and_makes_nothing(opened: database.Database) -> None:
    await create(opened, ANN)
    with pytest.raises(InvalidFields) as refused:
        await create(opened, ANN, body=b"another")
    assert refused.value.code == "IDEMPOTENCY_KEY_REUSED"
    assert await count(opened) == 1


async def test_a_key_is_its_owners_alone(opened: database.Database) -> None:
    rooms = [await create(opened, ANN), await create(opened, BOB), await create(opened, ANN, "two")]
    assert len({room.id for room in rooms}) == 3


async def test_a_key_ends_after_a_day_and_others_are_cleared_away_with_it(opened: database.Database) -> None:
    first = await create(opened, ANN)
    await create(opened, BOB)
    async with opened.connection() as connection:
        await connection.execute(
            "UPDATE rooms.idempotency_keys SET created_at = now() - interval '24 hours 1 second'"
        )
    again = await create(opened, ANN, body=b"another")
    assert again.id != first.id
    async with opened.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM rooms.idempotency_keys") == 1
