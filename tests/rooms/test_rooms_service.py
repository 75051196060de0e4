"""Rooms over gRPC: making, finding and seeing them."""

from typing import Any

import pytest

from common.errors import Forbidden, InvalidFields, Malformed, NotFound, Unauthenticated
from proto import rooms_pb2 as pb
from tests.rooms import kit


async def test_a_room_is_as_it_was_made(rooms: kit.Rooms) -> None:
    made = await rooms.call("CreateRoom", pb.CreateRoomRequest(name=" Algebra ", max=3, topic="Rings"), 1)
    assert (made.name, made.topic, made.max_participants) == ("Algebra", "Rings", 3)
    assert (made.owner_id, made.visibility, made.participants, made.unread) == (1, "public", 0, 0)
    assert made.created_at.endswith("Z")
    assert (made.locked, made.slow_mode_s, made.listen_only, made.role) == (False, 0, False, "owner")
    assert await rooms.call("GetRoom", pb.GetRoomRequest(room_id=made.id), 1) == made
    assert (await rooms.call("GetRoom", pb.GetRoomRequest(room_id=made.id), 2)).role == ""


async def test_ten_people_unless_said_otherwise(rooms: kit.Rooms) -> None:
    made = await rooms.call("CreateRoom", pb.CreateRoomRequest(name="Algebra"), 1)
    assert made.max_participants == 10


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "a" * 101}, "name"),
        ({"name": "bell\a"}, "name"),
        ({"name": "a", "max": 0}, "max"),
        ({"name": "a", "max": 501}, "max"),
        ({"name": "a", "max": 2**40}, "max"),
        ({"name": "a", "topic": "a" * 501}, "topic"),
        ({"name": "a", "visibility": "secret"}, "visibility"),
    ],
)
async def test_a_wrong_field_is_named(rooms: kit.Rooms, fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(InvalidFields) as caught:
        await rooms.create(**fields)
    assert [error.field for error in caught.value.errors] == [wrong]


async def test_lists_are_newest_first_and_come_in_pages(rooms: kit.Rooms) -> None:
    made = [await rooms.create(name=f"Room {count}") for count in range(5)]
    first = await rooms.call("ListRooms", pb.ListRoomsRequest(limit=2), 2)
    second = await rooms.call("ListRooms", pb.ListRoomsRequest(limit=2, cursor=first.next_cursor), 2)
    third = await rooms.call("ListRooms", pb.ListRoomsRequest(limit=2, cursor=second.next_cursor), 2)
    assert [room.id for page in (first, second, third) for room in page.items] == made[::-1]
    assert third.next_cursor == ""


async def test_a_cursor_is_of_one_list(rooms: kit.Rooms) -> None:
    for count in range(3):
        await rooms.create(name=f"Room {count}")
    cursor = (await rooms.call("ListRooms", pb.ListRoomsRequest(limit=1), 1)).next_cursor
    for request in (
        pb.ListRoomsRequest(cursor="nonsense"),
        pb.ListRoomsRequest(cursor=cursor, query="Room"),
    ):
        with pytest.raises(Malformed) as caught:
            await rooms.call("ListRooms", request, 1)
        assert caught.value.code == "INVALID_CURSOR"
    with pytest.raises(Malformed):
        await rooms.call("ListRooms", pb.ListRoomsRequest(cursor=cursor), 2)


async def test_search_finds_parts_of_names_and_topics_whatever_their_case(rooms: kit.Rooms) -> None:
    algebra = await rooms.create(name="Алгебра")
    rings = await rooms.create(name="Seminar", topic="Rings 100%")
    await rooms.create(name="Biology")
    for query, found in (("алг", [algebra]), ("RING", [rings]), ("%", [rings]), ("_", []), ("", None)):
        answer = await rooms.call("ListRooms", pb.ListRoomsRequest(query=query), 1)
        assert found is None or [room.id for room in answer.items] == found


async def test_limits_are_clamped_and_never_negative(rooms: kit.Rooms) -> None:
    await rooms.create()
    assert len((await rooms.call("ListRooms", pb.ListRoomsRequest(limit=9999), 1)).items) == 1
    with pytest.raises(InvalidFields):
        await rooms.call("ListRooms", pb.ListRoomsRequest(limit=-1), 1)


async def test_an_unlisted_room_is_found_by_its_id_alone(rooms: kit.Rooms) -> None:
    room_id = await rooms.create(visibility="unlisted")
    assert not (await rooms.call("ListRooms", pb.ListRoomsRequest(), 2)).items
    assert (await rooms.call("GetRoom", pb.GetRoomRequest(room_id=room_id), 2)).id == room_id
    await rooms.join(room_id, 2)
    assert [r.id for r in (await rooms.call("ListRooms", pb.ListRoomsRequest(), 2)).items] == [room_id]


async def test_a_private_room_is_not_there_for_others(rooms: kit.Rooms) -> None:
    room_id = await rooms.create(visibility="private")
    assert [r.id for r in (await rooms.call("ListRooms", pb.ListRoomsRequest(), 1)).items] == [room_id]
    assert not (await rooms.call("ListRooms", pb.ListRoomsRequest(), 2)).items
    for method, request in (
        ("GetRoom", pb.GetRoomRequest(room_id=room_id)),
        ("JoinRoom", pb.JoinRoomRequest(room_id=room_id)),
        ("LeaveRoom", pb.LeaveRoomRequest(room_id=room_id)),
        ("ListParticipants", pb.ListParticipantsRequest(room_id=room_id)),
        ("ListChat", pb.ListChatRequest(room_id=room_id)),
    ):
        with pytest.raises(NotFound):
            await rooms.call(method, request, 2)


@pytest.mark.parametrize("room_id", ["", "nonsense", "0198f000-0000-7000-8000-000000000000"])
async def test_a_room_that_is_not_there(rooms: kit.Rooms, room_id: str) -> None:
    with pytest.raises(NotFound) as caught:
        await rooms.call("GetRoom", pb.GetRoomRequest(room_id=room_id), 1)
    assert caught.value.code == "ROOM_NOT_FOUND"


async def test_history_is_newest_first_in_pages_and_for_members(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    for count in range(5):
        await ann.send("chat", {"message": f"message {count}"})
        await ann.until("chat_ack")
    first = await rooms.call("ListChat", pb.ListChatRequest(room_id=room_id, limit=3), 1)
    rest = await rooms.call("ListChat", pb.ListChatRequest(room_id=room_id, after=first.next_cursor), 1)
    assert [item.seq for item in first.items] == [5, 4, 3]
    assert [item.text for item in rest.items] == ["message 1", "message 0"]
    assert rest.next_cursor == ""
    newest = first.items[0]
    assert (newest.room_id, newest.user_id, newest.display_name) == (room_id, "1", "Person 1")
    with pytest.raises(Forbidden) as caught:
        await rooms.call("ListChat", pb.ListChatRequest(room_id=room_id), 2)
    assert caught.value.code == "NOT_A_MEMBER"


async def test_unread_counts_from_the_read_marker(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 4)
    for count in range(3):
        await ann.send("chat", {"message": f"message {count}"})
        await ann.until("chat_ack")
    await rooms.join(room_id, 2)  # what was said before is not news to a newcomer
    while bob.seen[-1].get("seq") != 3:
        await bob.next()
    await bob.send("read", {"seq": 2})
    await bob.send("ping")
    await bob.until("pong")
    await bob.send("hand", {"raised": True})  # is told when it is in the tables, and by then the marker is
    await bob.until("participant_updated")
    await ann.send("chat", {"message": "one more"})
    await ann.until("chat_ack")
    unread = {}
    for user_id in (1, 2, 3, 4):
        room = await rooms.call("GetRoom", pb.GetRoomRequest(room_id=room_id), user_id)
        unread[user_id] = room.unread
    assert unread == {1: 0, 2: 1, 3: 0, 4: 2}


async def test_without_a_good_token_nothing(rooms: kit.Rooms) -> None:
    for bad in ("", "nonsense", kit.token(1, lives=-60), kit.token(1, kid="unknown")):
        with pytest.raises(Unauthenticated):
            await rooms.client.call(rooms.stub.ListRooms, pb.ListRoomsRequest(), user_token=bad)
