"""A restored backup: another history under running replicas. Nobody takes its new events for the old ones."""

import asyncio

import asyncpg
import pytest
import redis.asyncio

from rooms.log.fanout import ANCHOR
from tests.rooms import kit

Pair = tuple[kit.Rooms, kit.Rooms]


@pytest.fixture(params=["with Redis", "without Redis"])
async def pair(request: pytest.FixtureRequest, stack: kit.Stack, redis_url: str) -> Pair:
    """Two replicas on one database."""
    stack.redis_url = redis_url if request.param == "with Redis" else ""
    pair = await stack.start(), await stack.start()
    if stack.redis_url:
        async with redis.asyncio.from_url(redis_url) as client:
            while (await client.pubsub_numsub(ANCHOR))[0][1] < 2:  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.02)
    return pair


async def restore(rooms: kit.Rooms, upto: int) -> None:
    """As if a backup from when the log had reached `upto` were restored: all of it at once."""
    connection = await asyncpg.connect(rooms.config.database_url)
    async with connection.transaction():
        await connection.execute("DELETE FROM rooms.events WHERE seq > $1", upto)
        await connection.execute("UPDATE rooms.heads SET last_seq = $1", upto)
        await connection.execute("UPDATE rooms.deployment SET epoch = gen_random_uuid()")
    await connection.close()


async def say(socket: kit.Socket, *texts: str) -> None:
    for text in texts:
        await socket.send("chat", {"message": text, "client_msg_id": text})
        await socket.until("chat_ack")


async def test_every_connection_begins_anew_and_no_replica_is_restarted(pair: Pair) -> None:
    room_id = await pair[0].create()
    await pair[0].join(room_id, 1, 2)
    ann, bob = await pair[0].connect(room_id, 1), await pair[1].connect(room_id, 2)
    old = ann.seen[0]["payload"]["epoch"]
    await say(ann, "one", "two", "three")
    while bob.seen[-1].get("seq") != 3:
        await bob.until("chat")
    await restore(pair[0], upto=1)
    assert await ann.closed() == (4200, "EPOCH_CHANGED")
    assert await bob.closed() == (4200, "EPOCH_CHANGED")

    ann = await pair[0].connect(room_id, 1, epoch=old, last_seq=3)
    bob = await pair[1].connect(room_id, 2, epoch=old, last_seq=1)
    hello = ann.seen[0]["payload"]
    assert (hello["epoch"] != old, hello["last_seq"]) == (True, 1)
    assert bob.seen[0]["payload"]["epoch"] == hello["epoch"]
    for socket in (ann, bob):
        assert (await socket.payload("resumed"))["recovered"] is False
    await say(ann, "two")  # what was lost is sent again under its id
    said = await bob.until("chat")
    assert (said["seq"], said["payload"]["message"]) == (2, "two")


async def test_what_is_sent_before_a_replica_has_noticed_is_not_written(pair: Pair) -> None:
    room_id = await pair[0].create()
    await pair[0].join(room_id, 1)
    ann = await pair[0].connect(room_id, 1)
    await say(ann, "one", "two")
    await restore(pair[0], upto=1)
    await ann.send("chat", {"message": "under the old numbers", "client_msg_id": "x"})
    assert await ann.closed() == (4200, "EPOCH_CHANGED")
    refusals = [frame["payload"] for frame in ann.seen if frame["type"] == "error"]
    assert all((told["code"], told["retryable"]) == ("EPOCH_CHANGED", True) for told in refusals)
    again = await pair[0].connect(room_id, 1)
    assert again.seen[0]["payload"]["last_seq"] == 1


async def test_a_replica_where_nobody_was_has_the_new_history_too(pair: Pair) -> None:
    room_id = await pair[0].create()
    await pair[0].join(room_id, 1)
    ann = await pair[0].connect(room_id, 1)
    old = ann.seen[0]["payload"]["epoch"]
    await restore(pair[0], upto=0)
    await ann.closed()
    elsewhere = await pair[1].connect(room_id, 1)
    assert elsewhere.seen[0]["payload"]["epoch"] != old
    await say(elsewhere, "one")
