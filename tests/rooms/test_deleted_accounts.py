"""A deleted account: closed, without its name, in no room; also when rooms was down meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from common.errors import Unauthenticated
from proto import rooms_pb2
from tests.rooms import kit


async def column(stack: kit.Stack, sql: str) -> list[object]:
    connection = await asyncpg.connect(stack.database_url)
    try:
        return [row[0] for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """The tables tell nobody of their changes."""
    async with asyncio.timeout(kit.PATIENCE):
        while not await check():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_its_websocket_closes_its_name_and_memberships_go_and_its_messages_stay(
    stack: kit.Stack, rooms: kit.Rooms
) -> None:
    room_id = await rooms.create(1)
    ann, bob = await rooms.enter(room_id, 1, 2)
    await bob.send("chat", {"message": "I was here"})
    await bob.until("chat_ack")
    await stack.auth.revoke(deleted_user_id=2)
    assert await bob.closed() == (4001, "SESSION_ENDED")
    assert (await ann.payload("peer_left"))["user_id"] == "2"
    page = await rooms.call("ListChat", rooms_pb2.ListChatRequest(room_id=room_id), 1)
    assert [(item.display_name, item.text) for item in page.items] == [("deleted", "I was here")]
    found = await rooms.call("ListParticipants", rooms_pb2.ListParticipantsRequest(room_id=room_id), 1)
    assert [participant.user_id for participant in found.items] == ["1"]


async def test_a_token_that_another_service_still_takes_brings_nobody_back(
    stack: kit.Stack, rooms: kit.Rooms
) -> None:
    """Neither one that rooms has not heard of in this process, nor one of somebody who never was here."""
    room_id = await rooms.create(1)
    await rooms.execute(
        "INSERT INTO rooms.people (user_id, display_name, deleted_at) VALUES (9, 'deleted', now())"
    )
    with pytest.raises(Unauthenticated) as refused:
        await rooms.join(room_id, 9)
    assert refused.value.code == "SESSION_ENDED"
    assert await column(stack, "SELECT display_name FROM rooms.people WHERE user_id = 9") == ["deleted"]


async def test_deletions_of_while_rooms_was_down_are_caught_up_with_once(stack: kit.Stack) -> None:
    long_ago = 1_600_000_000_000
    async with stack.running() as before:
        room_id = await before.create(1)
        await before.join(room_id, 2, 3)
    await stack.auth.revoke(deleted_user_id=2, at=long_ago)
    await stack.auth.revoke(session_id="whose ever")
    await stack.auth.revoke(deleted_user_id=3, at=long_ago)
    await stack.start()

    async def handled() -> bool:
        return await column(stack, "SELECT deletions_seen FROM rooms.deployment") == [3]

    await eventually(handled)
    members = "SELECT user_id FROM rooms.members ORDER BY 1"
    names = "SELECT display_name FROM rooms.people ORDER BY user_id"
    assert await column(stack, members) == [1]
    assert await column(stack, names) == ["Person 1", "deleted", "deleted"]
    stack.auth.asked.clear()
    await stack.start()

    async def asked() -> bool:
        return any(request.deletions_only for request in stack.auth.asked)

    await eventually(asked)
    assert [request.after_id for request in stack.auth.asked if request.deletions_only] == [3]
    assert await column(stack, members) == [1]


async def test_a_room_whose_owner_is_gone_has_another(stack: kit.Stack, rooms: kit.Rooms) -> None:
    """The longest-standing moderator, else the longest-standing member; and the log says so."""
    room_id = await rooms.create(1)
    *_, dave = await rooms.enter(room_id, 1, 2, 3, 4)
    moderator = rooms_pb2.ModerateRequest(room_id=room_id, user_id="4", action="role", role="moderator")
    await rooms.call("Moderate", moderator, 1)
    await dave.until("moderated")
    for deleted, heir in (("1", "4"), ("4", "2")):
        listener = await rooms.connect(room_id, 3)
        await stack.auth.revoke(deleted_user_id=int(deleted))
        moderated = await listener.payload("moderated")
        assert (moderated["user_id"], moderated["by"]) == (heir, deleted)
        assert (moderated["action"], moderated["role"]) == ("role", "owner")
        assert (await listener.payload("room_updated"))["room"]["owner_id"] == heir
        room = await rooms.call("GetRoom", rooms_pb2.GetRoomRequest(room_id=room_id), int(heir))
        assert (room.role, room.owner_id) == ("owner", int(heir))


async def test_a_room_that_nobody_else_is_in_stays_as_it_is(stack: kit.Stack, rooms: kit.Rooms) -> None:
    room_id = await rooms.create(1)
    await stack.auth.revoke(deleted_user_id=1)

    async def handled() -> bool:
        return await column(stack, "SELECT deletions_seen FROM rooms.deployment") == [1]

    await eventually(handled)
    room = await rooms.call("GetRoom", rooms_pb2.GetRoomRequest(room_id=room_id), 2)
    assert (room.owner_id, room.role) == (1, "")
