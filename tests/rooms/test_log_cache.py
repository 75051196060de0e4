"""The log's end in Redis: always one run without holes, and served only where it is whole."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
import redis.asyncio

from rooms.core.events import Deleted, Edited, Event, Said
from rooms.log.cache import KEEP_SECONDS, MOST_EVENTS, LogCache, key

ROOM, EPOCH = "room", "epoch"


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def cache(client: redis.asyncio.Redis) -> LogCache:
    return LogCache(client)


def said(seq: int, text: str = "") -> Event:
    return Event(seq, UUID(int=seq), 1, "Ann", datetime.fromtimestamp(seq, UTC), Said(text or f"text {seq}"))


def edited(seq: int, about: int, text: str) -> Event:
    at = datetime.fromtimestamp(seq, UTC)
    return Event(seq, UUID(int=seq), 1, "Ann", at, Edited(UUID(int=about), text))


async def add(cache: LogCache, *seqs: int, changed: tuple[Event, ...] = ()) -> None:
    await cache.add(ROOM, EPOCH, [said(seq) for seq in seqs], changed, "notice")


async def after(cache: LogCache, seq: int, head: int, limit: int = 100) -> list[int] | None:
    events = await cache.after(ROOM, EPOCH, seq, limit, head)
    return None if events is None else [event.seq for event in events]


async def held(client: redis.asyncio.Redis) -> list[int]:
    found = await client.zrange(key(ROOM, EPOCH), 0, -1, withscores=True)
    return [int(pair[1]) for pair in found]


async def test_what_was_added_is_given_in_order(cache: LogCache) -> None:
    await add(cache, 1, 2)
    await add(cache, 3)
    assert await after(cache, 0, head=3) == [1, 2, 3]
    assert await after(cache, 1, head=3, limit=1) == [2]
    assert await cache.after(ROOM, EPOCH, 2, 10, 3) == [said(3)]


async def test_it_is_not_asked_where_it_does_not_reach_the_head_or_back_to_the_beginning(
    cache: LogCache,
) -> None:
    await add(cache, 5, 6)
    assert await after(cache, 4, head=7) is None
    assert await after(cache, 3, head=6) is None
    assert await cache.after(ROOM, "another epoch", 4, 10, 6) is None
    assert await cache.after("another room", EPOCH, 4, 10, 6) is None


async def test_after_a_hole_it_begins_anew(cache: LogCache, client: redis.asyncio.Redis) -> None:
    await add(cache, 1, 2)
    await add(cache, 4)
    assert await held(client) == [4]


async def test_what_comes_too_late_is_left_out(cache: LogCache, client: redis.asyncio.Redis) -> None:
    """Else the text of 2, whose deletion was quicker, would come back."""
    await add(cache, 1)
    deletion = Event(3, UUID(int=3), 1, "Ann", datetime.fromtimestamp(3, UTC), Deleted(UUID(int=2)))
    await cache.add(ROOM, EPOCH, [deletion], [said(2, "")], "notice")
    await add(cache, 2)
    assert await held(client) == [3]
    assert not [text for text in await client.zrange(key(ROOM, EPOCH), 0, -1) if "text 2" in text]


async def test_what_an_edit_changes_is_changed_and_what_is_not_there_is_not_added(
    cache: LogCache, client: redis.asyncio.Redis
) -> None:
    await add(cache, 5, 6)
    now = (said(2, "new"), said(5, "new"))
    await cache.add(ROOM, EPOCH, [edited(7, 5, "new")], now, "notice")
    assert await cache.after(ROOM, EPOCH, 4, 10, 7) == [said(5, "new"), said(6), edited(7, 5, "new")]
    assert await held(client) == [5, 6, 7]


async def test_the_same_twice_changes_nothing(cache: LogCache, client: redis.asyncio.Redis) -> None:
    await add(cache, 1, 2)
    await add(cache, 1, 2)
    assert await held(client) == [1, 2]


async def test_the_newest_stay_and_not_for_ever(cache: LogCache, client: redis.asyncio.Redis) -> None:
    await add(cache, *range(1, MOST_EVENTS + 1))
    await add(cache, MOST_EVENTS + 1)
    assert (await held(client))[0] == 2
    assert 0 < await client.ttl(key(ROOM, EPOCH)) <= KEEP_SECONDS


async def test_what_cannot_be_read_is_not_served(cache: LogCache, client: redis.asyncio.Redis) -> None:
    await add(cache, 1, 2)
    await client.zremrangebyscore(key(ROOM, EPOCH), 2, 2)
    await client.zadd(key(ROOM, EPOCH), {"[2,3]": 2})
    assert await after(cache, 1, head=2) is None


async def test_what_is_to_be_forgotten_is(cache: LogCache, client: redis.asyncio.Redis) -> None:
    await add(cache, 1)
    await cache.forget(ROOM, EPOCH)
    assert await held(client) == []


@pytest.mark.parametrize("at_once", [1, 1000])
async def test_all_rooms_can_be_forgotten_and_nothing_else_is(
    cache: LogCache, client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("rooms.log.cache.MOST_AT_ONCE", at_once)
    for room_id in "abc":
        await cache.add(room_id, EPOCH, [said(1)], (), "notice")
    await client.set("somebody:{else}:log:s", "theirs")
    await cache.forget_all()
    assert await client.keys("*") == ["somebody:{else}:log:s"]
