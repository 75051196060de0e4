"""Two replicas, with Redis and without: one room, one order, one list of people."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from dev.valkey import Valkey
from rooms.log import fanout
from rooms.log.cache import LogCache
from rooms.log.fanout import ANCHOR
from tests import stack as servers
from tests.rooms import kit

Pair = tuple[kit.Rooms, kit.Rooms]


@pytest.fixture(params=["with Redis", "without Redis"])
async def pair(request: pytest.FixtureRequest, stack: kit.Stack, redis_url: str) -> Pair:
    """Two replicas on one database."""
    stack.redis_url = redis_url if request.param == "with Redis" else ""
    pair = await stack.start(), await stack.start()
    if stack.redis_url:
        await listening(redis_url)
    return pair


async def listening(redis_url: str) -> None:
    """Wait until both replicas hear notices."""
    async with redis.asyncio.from_url(redis_url) as client:
        while (await client.pubsub_numsub(ANCHOR))[0][1] < 2:  # noqa: ASYNC110  # another process: nothing to await
            await asyncio.sleep(0.02)


@pytest.fixture
async def valkey() -> AsyncIterator[Valkey]:
    """A server of the test's own, to be killed."""
    with servers.valkey() as server:
        yield server


async def test_what_one_says_is_heard_on_the_other(pair: Pair) -> None:
    here, there = pair
    room_id = await here.create()
    await here.join(room_id, 1, 2)
    ann, bob = await here.connect(room_id, 1), await there.connect(room_id, 2)
    for count in range(5):
        await (ann, bob)[count % 2].send("chat", {"message": str(count)})
        await (ann, bob)[count % 2].until("chat_ack")
    frames = [[f for f in socket.seen if f["type"] == "chat"] for socket in (ann, bob)]
    for socket, seen in zip((ann, bob), frames, strict=True):
        while len(seen) < 5:
            seen.append(await socket.until("chat"))
    assert frames[0] == frames[1]
    assert [frame["seq"] for frame in frames[0]] == [1, 2, 3, 4, 5]


async def test_everybody_talking_at_once_is_one_order(pair: Pair) -> None:
    here, _ = pair
    room_id = await here.create()
    await here.join(room_id, *range(1, 7))
    people = [await pair[user_id % 2].connect(room_id, user_id) for user_id in range(1, 7)]

    async def talk(socket: kit.Socket) -> list[dict[str, object]]:
        for count in range(8):
            await socket.send("chat", {"message": str(count)})
        return [await socket.until("chat") for _ in range(6 * 8)]

    heard = await asyncio.gather(*map(talk, people))
    assert [frame["seq"] for frame in heard[0]] == list(range(1, 49))
    assert all(frames == heard[0] for frames in heard)


async def test_people_come_and_go_across_replicas(pair: Pair) -> None:
    here, there = pair
    room_id = await here.create()
    await here.join(room_id, 1, 2)
    ann = await here.connect(room_id, 1)
    bob = await there.connect(room_id, 2)
    assert (await ann.payload("peer_joined"))["user_id"] == "2"
    assert [p["user_id"] for p in bob.seen[1]["payload"]["participants"]] == ["1", "2"]

    await bob.send("mute", {"muted": True})
    updated = await ann.payload("participant_updated")
    assert (updated["user_id"], updated["participant"]["muted"]) == ("2", True)

    await here.leave(room_id, 2)  # on the replica where Bob is not
    assert await bob.closed() == (4003, "LEFT")
    assert (await ann.payload("peer_left"))["user_id"] == "2"


async def test_a_redis_that_dies_costs_nothing_but_time(
    stack: kit.Stack, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        fanout, "LOOK_SECONDS", 3600.0
    )  # who is not told, or does not look oftener, has nothing
    stack.redis_url = valkey.url
    here, there = await stack.start(), await stack.start()
    room_id = await here.create()
    await here.join(room_id, 1, 2)
    ann, bob = await here.connect(room_id, 1), await there.connect(room_id, 2)
    await listening(valkey.url)

    for state in ("well", "killed", "back"):
        if state == "killed":
            valkey.kill()
        if state == "back":
            valkey.start()
            await listening(valkey.url)
        await ann.send("chat", {"message": state})
        await ann.until("chat_ack")
        assert (await bob.payload("chat"))["message"] == state
    assert kit.texts(bob.seen) == ["well", "killed", "back"]


async def test_a_redis_that_dies_while_it_is_told_is_found_again(
    stack: kit.Stack, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """redis-py makes an error of a cancellation while it connects; the task has to end all the same."""
    stack.redis_url = valkey.url
    here, there = await stack.start(), await stack.start()
    room_id = await here.create()
    await here.join(room_id, 1, 2)
    ann, bob = await here.connect(room_id, 1), await there.connect(room_id, 2)
    await listening(valkey.url)

    telling, ended = asyncio.Event(), asyncio.Event()

    async def add(*_: object) -> None:
        telling.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.set()
            raise redis.exceptions.ConnectionError from None

    with monkeypatch.context() as patched:
        patched.setattr(LogCache, "add", add)
        await ann.send("chat", {"message": "being told"})
        await telling.wait()
        valkey.kill()
        await ended.wait()
    valkey.start()
    await listening(valkey.url)
    await ann.send("chat", {"message": "back"})
    for said in ("being told", "back"):
        assert (await bob.payload("chat"))["message"] == said


async def test_a_replica_that_vanishes_takes_its_people_with_it(
    stack: kit.Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its leases lapse: nobody renews them, and somebody else sweeps."""
    monkeypatch.setattr("rooms.serve.RENEW_SECONDS", 0.2)
    rooms = await stack.start()
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    await rooms.join(room_id, 2)
    await rooms.execute(
        "WITH joined AS (UPDATE rooms.rooms SET roster_version = roster_version + 1 WHERE id = $1)"
        " INSERT INTO rooms.presence (room_id, user_id, replica, expires_at)"
        " VALUES ($1, 2, gen_random_uuid(), now() + interval '1 hour')",
        room_id,
    )
    assert (await ann.payload("peer_joined"))["user_id"] == "2"
    await rooms.execute("UPDATE rooms.presence SET expires_at = now() WHERE user_id = 2")
    assert (await ann.payload("peer_left"))["user_id"] == "2"
