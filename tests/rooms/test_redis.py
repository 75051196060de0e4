"""Redis between replicas: quicker, and never believed more than PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis.asyncio
import structlog.testing

from rooms.frames.outgoing import PeerTyping
from rooms.hub import Hub
from rooms.log.cache import channel, key
from rooms.log.fanout import ANCHOR
from rooms.log.notices import Notice, write_notice
from tests.rooms import kit
from tests.rooms.proxy import listening, proxied


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
async def pair(stack: kit.Stack, redis_url: str, client: redis.asyncio.Redis) -> tuple[kit.Rooms, kit.Rooms]:
    """Two replicas that hear of each other."""
    stack.redis_url = redis_url
    pair = await stack.start(), await stack.start()
    await heard_by(client, ANCHOR, 2)
    return pair


async def heard_by(client: redis.asyncio.Redis, name: str, count: int) -> None:
    while (await client.pubsub_numsub(name))[0][1] < count:  # noqa: ASYNC110  # another process
        await asyncio.sleep(0.02)


async def ann_and_bob(
    pair: tuple[kit.Rooms, kit.Rooms], client: redis.asyncio.Redis
) -> tuple[str, kit.Socket, kit.Socket]:
    """A room with one on each replica."""
    room_id = await pair[0].create()
    await pair[0].join(room_id, 1, 2)
    ann, bob = await pair[0].connect(room_id, 1), await pair[1].connect(room_id, 2)
    await heard_by(client, channel(room_id), 2)
    return room_id, ann, bob


async def kept(client: redis.asyncio.Redis) -> str:
    """All the logs that Redis holds, as text."""
    logs = [await client.zrange(name, 0, -1) async for name in client.scan_iter("rooms:*:log:*")]
    return "\n".join(str(text) for log in logs for text in log)


async def test_messages_cross_without_the_other_replicas_database(
    stack: kit.Stack, redis_url: str, database_url: str, client: redis.asyncio.Redis
) -> None:
    stack.redis_url = redis_url
    async with proxied(database_url) as line:
        pair = await stack.start(), await stack.start(database_url=line.url)
        await heard_by(client, ANCHOR, 2)
        _, ann, bob = await ann_and_bob(pair, client)
        await line.cut()
        for text in ("one", "two"):
            await ann.send("chat", {"message": text})
            await bob.until("chat")
        msg_id = bob.seen[-1]["payload"]["msg_id"]
        await ann.send("chat_edit", {"msg_id": msg_id, "message": "three"})
        assert (await bob.payload("chat_edited"))["message"] == "three"
        await bob.ws.close()
        await line.restore()


async def test_who_resumes_is_served_from_the_cache(
    pair: tuple[kit.Rooms, kit.Rooms], client: redis.asyncio.Redis
) -> None:
    """What the tables say is changed behind everybody's back: only the cache still has it as it was."""
    room_id, ann, bob = await ann_and_bob(pair, client)
    epoch = ann.seen[0]["payload"]["epoch"]
    for text in ("one", "two"):
        await ann.send("chat", {"message": text})
        await bob.until("chat")
    await pair[0].execute("UPDATE rooms.events SET text = 'from the tables'")
    again = await pair[1].connect(room_id, 2, epoch=epoch, last_seq=0)
    await again.until("resumed")
    assert kit.texts(again.seen) == ["one", "two"]
    await client.delete(key(room_id, epoch))
    again = await pair[1].connect(room_id, 2, epoch=epoch, last_seq=0)
    await again.until("resumed")
    assert kit.texts(again.seen) == ["from the tables", "from the tables"]


async def test_a_deleted_text_is_gone_from_the_cache_with_its_edits(
    pair: tuple[kit.Rooms, kit.Rooms], client: redis.asyncio.Redis
) -> None:
    room_id, ann, bob = await ann_and_bob(pair, client)
    epoch = ann.seen[0]["payload"]["epoch"]
    await ann.send("chat", {"message": "secret one"})
    msg_id = (await bob.payload("chat"))["msg_id"]
    await ann.send("chat_edit", {"msg_id": msg_id, "message": "secret two"})
    await bob.until("chat_edited")
    assert "secret two" in await kept(client)
    assert "secret one" not in await kept(client)
    await ann.send("chat_delete", {"msg_id": msg_id})
    await bob.until("chat_deleted")
    assert "secret" not in await kept(client)
    again = await pair[1].connect(room_id, 2, epoch=epoch, last_seq=0)
    await again.until("resumed")
    frames = [frame for frame in again.seen if "seq" in frame]
    assert [frame["seq"] for frame in frames] == [1, 2, 3]
    assert [frame["payload"].get("message") for frame in frames] == ["", "", None]


async def test_the_name_of_a_deleted_account_is_gone_from_the_cache(
    pair: tuple[kit.Rooms, kit.Rooms], stack: kit.Stack, client: redis.asyncio.Redis
) -> None:
    _, ann, bob = await ann_and_bob(pair, client)
    await bob.send("chat", {"message": "I was here"})
    await ann.until("chat")
    assert "Person 2" in await kept(client)
    await stack.auth.revoke(deleted_user_id=2)
    await ann.until("peer_left")
    async with asyncio.timeout(kit.PATIENCE):
        while "Person 2" in await kept(client):  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.02)


async def redis_is(rooms: kit.Rooms, state: str) -> None:
    """Wait until this replica says so."""
    async with asyncio.timeout(kit.PATIENCE):
        while True:
            async with rooms.http.get(f"http://127.0.0.1:{rooms.ports.websocket}/healthz") as answer:
                if (await answer.json())["redis"] == state:
                    return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("bound", [10_000, 0], ids=["remembered", "more than can be remembered"])
@pytest.mark.parametrize("link", ["all", "listening"])
async def test_what_was_to_be_forgotten_while_redis_was_away_is_before_it_is_believed_again(
    stack: kit.Stack,
    redis_url: str,
    client: redis.asyncio.Redis,
    monkeypatch: pytest.MonkeyPatch,
    bound: int,
    link: str,
) -> None:
    monkeypatch.setattr("rooms.log.fanout.MOST_TO_FORGET", bound)
    async with proxied(redis_url) as line:
        rooms = await stack.start(redis_url=line.url)
        room_id = await rooms.create(1)
        ann, bob = await rooms.enter(room_id, 1, 2)
        await heard_by(client, channel(room_id), 1)
        await bob.send("chat", {"message": "I was here"})
        await ann.until("chat")
        async with asyncio.timeout(kit.PATIENCE):
            while "Person 2" not in await kept(client):  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.02)
        await (line.cut() if link == "all" else line.keep_cutting(listening))
        await redis_is(rooms, "degraded")
        await stack.auth.revoke(deleted_user_id=2)
        await ann.until("peer_left")
        await line.restore()
        await redis_is(rooms, "ok")
        assert "Person 2" not in await kept(client)
        again = await rooms.connect(room_id, 1, epoch=ann.seen[0]["payload"]["epoch"], last_seq=0)
        assert (await again.payload("chat"))["display_name"] == "deleted"


async def test_what_was_to_be_forgotten_and_found_the_queue_full_is_forgotten(
    stack: kit.Stack, redis_url: str, client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is gone is told first, which fills it. Redis counts as lost then, and is told before it is well."""
    monkeypatch.setattr("rooms.log.fanout.LONGEST_QUEUE", 1)
    rooms = await stack.start(redis_url=redis_url)
    room_id = await rooms.create(1)
    ann, bob = await rooms.enter(room_id, 1, 2)
    await heard_by(client, channel(room_id), 1)
    async with asyncio.timeout(kit.PATIENCE):
        while "Person 2" not in await kept(client):
            await bob.send("chat", {"message": "I was here"})
            await ann.until("chat")
            await asyncio.sleep(0.5)  # within the rates
    await stack.auth.revoke(deleted_user_id=2)
    await ann.until("peer_left")
    async with asyncio.timeout(kit.PATIENCE):
        while "Person 2" in await kept(client):  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.02)


async def test_a_fault_of_ours_is_logged_as_one_and_redis_stays_well(
    pair: tuple[kit.Rooms, kit.Rooms], client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ann, bob = await ann_and_bob(pair, client)

    def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    with structlog.testing.capture_logs() as lines:
        with monkeypatch.context() as patched:
            patched.setattr(Hub, "heard", broken)
            await ann.send("chat", {"message": "not heard"})
            async with asyncio.timeout(kit.PATIENCE):
                while not lines:  # noqa: ASYNC110  # what nobody is told
                    await asyncio.sleep(0.02)
        await ann.send("chat", {"message": "heard"})
        assert [(await bob.payload("chat"))["message"] for _ in range(2)] == ["not heard", "heard"]
    assert [(line["event"], line.get("exc_info")) for line in lines] == [("unexpected error", True)]


async def test_notices_that_cannot_be_read_or_are_of_another_history_are_ignored(
    pair: tuple[kit.Rooms, kit.Rooms], client: redis.asyncio.Redis
) -> None:
    room_id, ann, bob = await ann_and_bob(pair, client)
    other = '[1,"another replica","another epoch",9,[],null]'
    typing = write_notice(Notice("another", "another epoch", gesture=PeerTyping(room_id, "1", "", True)))
    for notice in ("", "nonsense", "[1]", b"\xff\xfe", "[9,1,2,3,4,5]", other, typing):
        await client.publish(channel(room_id), notice)
    await ann.send("chat", {"message": "still here"})
    assert (await bob.until("chat"))["seq"] == 1
    assert "typing" not in {frame["type"] for frame in bob.seen}


async def test_gestures_cross_and_are_not_kept(
    pair: tuple[kit.Rooms, kit.Rooms], client: redis.asyncio.Redis
) -> None:
    room_id, ann, bob = await ann_and_bob(pair, client)
    tab = await pair[1].connect(room_id, 1)
    await ann.send("typing")
    assert await bob.payload("typing") == {
        "room_id": room_id,
        "user_id": "1",
        "display_name": "Person 1",
        "typing": True,
    }
    await ann.send("reaction", {"emoji": "🎉"})
    for socket in (ann, bob, tab):
        assert await socket.payload("reaction") == {"room_id": room_id, "user_id": "1", "emoji": "🎉"}
        assert ("typing" in {frame["type"] for frame in socket.seen}) == (socket is bob)
    assert await kept(client) == ""


async def test_how_redis_is_can_be_asked(pair: tuple[kit.Rooms, kit.Rooms], stack: kit.Stack) -> None:
    stack.redis_url = ""
    without = await stack.start()
    nowhere = await stack.start(redis_url="redis://127.0.0.1:1/0")
    for rooms, state in ((pair[0], "ok"), (without, "none"), (nowhere, "degraded")):
        url = f"http://127.0.0.1:{rooms.ports.websocket}/healthz"
        async with rooms.http.get(url) as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ok", "redis": state})
