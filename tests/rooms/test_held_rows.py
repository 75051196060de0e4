"""Rows that somebody holds: their room waits, and no other one does."""

import asyncio
import functools

import asyncpg
import pytest
import redis.asyncio

from common import database
from proto import rooms_pb2
from rooms.log.cache import channel
from tests.rooms import kit


async def test_what_is_said_elsewhere_is_heard_while_every_connection_waits_for_one_row(
    stack: kit.Stack, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a statement nor who waits for a connection gives up here: nothing else comes to help."""
    monkeypatch.setattr(database, "connect", functools.partial(database.connect, command_timeout=600))
    monkeypatch.setattr(database, "ACQUIRE_SECONDS", 600)
    stack.redis_url = redis_url
    here, there = await stack.start(), await stack.start()
    held, free = await here.create(1), await here.create(1)
    await here.join(free, 2)
    ann, bob = await here.connect(free, 1), await there.connect(free, 2)
    async with redis.asyncio.from_url(redis_url) as client, asyncio.timeout(kit.PATIENCE):
        while (await client.pubsub_numsub(channel(free)))[0][1] < 2:  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.02)

    outside = await asyncpg.connect(stack.database_url)
    try:
        await outside.execute("BEGIN")
        await outside.execute("SELECT FROM rooms.rooms WHERE id = $1 FOR UPDATE", held)
        request = rooms_pb2.JoinRoomRequest(room_id=held)
        joins = [asyncio.create_task(there.call("JoinRoom", request, user_id)) for user_id in range(10, 34)]
        size = there.config.database_connections
        waiting = (
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        async with asyncio.timeout(kit.PATIENCE):
            while len(await there.fetch(waiting)) < size - size // 2 - 1:  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.02)

        await ann.send("mute", {"muted": True})  # a notice that the roster has changed
        await ann.until("participant_updated")
        for text in ("one", "two"):
            await ann.send("chat", {"message": text})
            assert (await bob.payload("chat"))["message"] == text
    finally:
        await outside.close()  # and with it the lock goes
    assert (await bob.payload("participant_updated"))["participant"]["muted"]
    await asyncio.gather(*joins, return_exceptions=True)
