"""A session that has ended: refused, and its websockets closed; auth may be away meanwhile."""

import asyncio
import time
from typing import Any

import pytest

from common.errors import Unauthenticated
from proto import rooms_pb2
from tests.rooms import kit


async def refused(rooms: kit.Rooms, user_id: int) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await rooms.call("ListRooms", rooms_pb2.ListRoomsRequest(), user_id)
    return caught.value.code


async def test_its_websockets_close_and_nobody_elses(stack: kit.Stack, rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    also_ann = await rooms.connect(room_id, 1)
    await stack.auth.revoke(session_id="session-1")
    async with asyncio.timeout(kit.PATIENCE):
        assert await ann.closed() == (4001, "SESSION_ENDED")
        assert await also_ann.closed() == (4001, "SESSION_ENDED")
    assert await refused(rooms, 1) == "SESSION_ENDED"
    await bob.send("chat", {"message": "still here"})
    assert (await bob.until("chat_ack"))["payload"]["seq"] == 1


async def test_its_voice_ends_with_it(stack: kit.Stack, rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    await ann.send("offer", {"sdp": "offer"})
    await ann.until("answer")
    assert (await stack.media.called())[0] == "negotiate"
    await stack.auth.revoke(session_id="session-1")
    assert await ann.closed() == (4001, "SESSION_ENDED")
    assert await stack.media.called() == ("close", "1")


async def test_it_cannot_come_in_again(stack: kit.Stack, rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    await stack.auth.revoke(session_id="session-1")
    await ann.closed()
    page = await rooms.dial(
        rooms.url(room_id, access_token=kit.token(1)), headers={"Origin": "http://localhost:8080"}
    )
    assert await page.closed() == (4001, "SESSION_ENDED")


async def test_an_account_whose_sessions_ended_keeps_those_it_opened_since(
    stack: kit.Stack, rooms: kit.Rooms
) -> None:
    room_id = await rooms.create()
    await rooms.join(room_id, 1)
    old = await rooms.connect(room_id, 1)
    await stack.auth.revoke(user_id=1, at=int((time.time() + 0.001) * 1000))
    assert await old.closed() == (4001, "SESSION_ENDED")
    await stack.auth.revoke(user_id=2, at=int((time.time() - 60) * 1000))
    await rooms.join(room_id, 2)
    await rooms.connect(room_id, 2)


async def test_what_ended_before_a_replica_started_is_known_to_it(stack: kit.Stack) -> None:
    await stack.auth.revoke(session_id="session-1")
    rooms = await stack.start()
    assert await refused(rooms, 1) == "SESSION_ENDED"


async def test_a_token_shown_in_the_connection_counts_as_the_first(
    stack: kit.Stack, rooms: kit.Rooms
) -> None:
    """The session of the newest `auth` frame is the one that counts."""
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    first = await rooms.connect(room_id, 1)
    await ann.send("auth", {"access_token": kit.token(1, session="another")})
    await ann.until("auth_ok")
    await stack.auth.revoke(session_id="session-1")
    assert await first.closed() == (4001, "SESSION_ENDED")
    await ann.send("ping")
    await ann.until("pong")
    await stack.auth.revoke(session_id="another")
    assert await ann.closed() == (4001, "SESSION_ENDED")


async def test_all_replicas_close_without_redis(stack: kit.Stack) -> None:
    here, there = await stack.start(), await stack.start()
    room_id = await here.create()
    await here.join(room_id, 1)
    sockets = [await here.connect(room_id, 1), await there.connect(room_id, 1)]
    await stack.auth.revoke(session_id="session-1")
    async with asyncio.timeout(kit.PATIENCE):
        closed: list[Any] = await asyncio.gather(*(socket.closed() for socket in sockets))
    assert closed == [(4001, "SESSION_ENDED")] * 2
