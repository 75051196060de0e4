"""A room's settings: who may change which, and how everybody hears of it."""

import asyncio
from typing import Any

import pytest

from common.errors import Conflict, Forbidden, InvalidFields, NotFound
from proto import rooms_pb2 as pb
from tests.rooms import kit

OWNER, MODERATOR, MEMBER = 1, 2, 3


@pytest.fixture
async def room_id(rooms: kit.Rooms) -> str:
    """A room with an owner, a moderator and a member, none connected."""
    room_id = await rooms.create(OWNER)
    await rooms.join(room_id, OWNER, MODERATOR, MEMBER)
    role = pb.ModerateRequest(room_id=room_id, user_id="2", action="role", role="moderator")
    await rooms.call("Moderate", role, OWNER)
    return room_id


async def update(rooms: kit.Rooms, room_id: str, user_id: int = OWNER, **fields: Any) -> pb.Room:
    room: pb.Room = await rooms.call("UpdateRoom", pb.UpdateRoomRequest(room_id=room_id, **fields), user_id)
    return room


async def room(rooms: kit.Rooms, room_id: str, user_id: int = OWNER) -> pb.Room:
    found: pb.Room = await rooms.call("GetRoom", pb.GetRoomRequest(room_id=room_id), user_id)
    return found


async def test_the_owner_changes_all_of_it_and_everybody_hears_once(rooms: kit.Rooms, room_id: str) -> None:
    bob = await rooms.connect(room_id, MEMBER)
    changed = await update(
        rooms,
        room_id,
        name=" Rings ",
        topic="ideals",
        visibility="unlisted",
        max=5,
        locked=True,
        slow_mode_s=10,
        listen_only=True,
    )
    assert (changed.name, changed.topic, changed.visibility) == ("Rings", "ideals", "unlisted")
    assert (changed.max_participants, changed.locked, changed.slow_mode_s) == (5, True, 10)
    assert (changed.listen_only, changed.role) == (True, "owner")
    assert await room(rooms, room_id) == changed
    event = await bob.until("room_updated")
    assert event["seq"] == 2
    assert event["payload"]["user_id"] == "1"
    assert event["payload"]["room"] == {
        "name": "Rings",
        "topic": "ideals",
        "visibility": "unlisted",
        "max_participants": 5,
        "owner_id": "1",
        "locked": True,
        "slow_mode_s": 10,
        "listen_only": True,
    }
    later = await rooms.connect(room_id, MEMBER)
    assert later.seen[-1]["payload"]["room"] == event["payload"]["room"]
    await update(rooms, room_id, name="Rings", locked=True)  # so already: no event
    await update(rooms, room_id, topic="")
    assert (await bob.until("room_updated"))["seq"] == 3


async def test_a_moderator_changes_some_of_it_and_a_member_nothing(rooms: kit.Rooms, room_id: str) -> None:
    changed = await update(
        rooms, room_id, MODERATOR, topic="ideals", locked=True, slow_mode_s=10, listen_only=True
    )
    assert (changed.topic, changed.locked, changed.role) == ("ideals", True, "moderator")
    for fields in ({"name": "Mine"}, {"visibility": "private"}, {"max": 2}, {"owner_id": "2"}):
        with pytest.raises(Forbidden) as caught:
            await update(rooms, room_id, MODERATOR, topic="lost", **fields)
        assert caught.value.code == "OWNER_ONLY"
    for user_id, code in ((MEMBER, "MODERATORS_ONLY"), (9, "NOT_A_MEMBER")):
        with pytest.raises(Forbidden) as caught:
            await update(rooms, room_id, user_id, topic="lost")
        assert caught.value.code == code
    assert (await room(rooms, room_id)).topic == "ideals"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, ["name"]),
        ({"topic": "a" * 501}, ["topic"]),
        ({"visibility": "secret", "max": 0}, ["visibility", "max"]),
        ({"slow_mode_s": 3601}, ["slow_mode_s"]),
        ({"owner_id": "Ann"}, ["owner_id"]),
    ],
)
async def test_wrong_fields_are_named(rooms: kit.Rooms, fields: dict[str, Any], wrong: list[str]) -> None:
    room_id = await rooms.create()
    with pytest.raises(InvalidFields) as caught:
        await update(rooms, room_id, **fields)
    assert [error.field for error in caught.value.errors] == wrong


async def test_a_room_changes_hands(rooms: kit.Rooms, room_id: str) -> None:
    bob = await rooms.connect(room_id, MEMBER)
    changed = await update(rooms, room_id, owner_id="3")
    assert (changed.owner_id, changed.role) == (3, "moderator")
    events = [await bob.until("moderated"), await bob.until("moderated"), await bob.until("room_updated")]
    assert [(e["payload"]["user_id"], e["payload"].get("role")) for e in events] == [
        ("3", "owner"),
        ("1", "moderator"),
        ("1", None),
    ]
    assert events[2]["payload"]["room"]["owner_id"] == "3"
    await update(rooms, room_id, MEMBER, name="Mine now")
    with pytest.raises(Forbidden):
        await update(rooms, room_id, OWNER, name="Still mine")
    with pytest.raises(NotFound) as caught:
        await update(rooms, room_id, MEMBER, owner_id="9")
    assert caught.value.code == "MEMBER_NOT_FOUND"
    assert (await room(rooms, room_id, MEMBER)).role == "owner"


async def test_a_new_owner_is_muted_by_nobody_but_themselves(rooms: kit.Rooms, room_id: str) -> None:
    mute = pb.ModerateRequest(room_id=room_id, user_id="3", action="mute")
    await rooms.call("Moderate", mute, MODERATOR)
    await update(rooms, room_id, owner_id="3")
    (muted_by,) = await rooms.fetch("SELECT muted_by FROM rooms.members WHERE user_id = 3")
    assert muted_by[0] is None


async def test_lowering_max_throws_nobody_out(rooms: kit.Rooms, room_id: str) -> None:
    bob = await rooms.connect(room_id, MEMBER)
    await update(rooms, room_id, max=1)
    await rooms.join(room_id, MODERATOR)
    await rooms.connect(room_id, MEMBER)  # another tab, or coming back
    with pytest.raises(Conflict) as caught:
        await rooms.join(room_id, 9)
    assert caught.value.code == "ROOM_FULL"
    await bob.send("ping")
    await bob.until("pong")


async def test_a_locked_room_admits_nobody_new_and_its_members_come_and_go(
    rooms: kit.Rooms, room_id: str
) -> None:
    await update(rooms, room_id, locked=True)
    with pytest.raises(Forbidden) as caught:
        await rooms.join(room_id, 9)
    assert caught.value.code == "ROOM_LOCKED"
    await rooms.join(room_id, MEMBER)
    await rooms.connect(room_id, MEMBER)
    await update(rooms, room_id, locked=False)
    await rooms.join(room_id, 9)


async def test_a_deleted_room_is_gone_with_all_that_was_in_it(rooms: kit.Rooms, room_id: str) -> None:
    bob = await rooms.connect(room_id, MEMBER)
    await bob.send("chat", {"message": "I was here"})
    await bob.until("chat_ack")
    await rooms.call("CreateInvite", pb.CreateInviteRequest(room_id=room_id), OWNER)
    await rooms.call("CreateTicket", pb.CreateTicketRequest(room_id=room_id), OWNER)
    await rooms.call("SetTimer", pb.SetTimerRequest(room_id=room_id, action="start"), OWNER)
    await rooms.call("Moderate", pb.ModerateRequest(room_id=room_id, user_id="2", action="ban"), OWNER)
    with pytest.raises(Forbidden) as caught:
        await rooms.call("DeleteRoom", pb.DeleteRoomRequest(room_id=room_id), MEMBER)
    assert caught.value.code == "OWNER_ONLY"
    await rooms.call("DeleteRoom", pb.DeleteRoomRequest(room_id=room_id), OWNER)
    assert await bob.closed() == (4004, "ROOM_DELETED")
    assert ("close", "3") in [await rooms.media.called() for _ in range(2)]
    for method, request in (
        ("GetRoom", pb.GetRoomRequest(room_id=room_id)),
        ("JoinRoom", pb.JoinRoomRequest(room_id=room_id)),
        ("DeleteRoom", pb.DeleteRoomRequest(room_id=room_id)),
    ):
        with pytest.raises(NotFound):
            await rooms.call(method, request, OWNER)
    while await rooms.fetch("SELECT FROM rooms.deleted_rooms"):  # noqa: ASYNC110  # the tables tell nobody
        await asyncio.sleep(0.02)
    tables = await rooms.fetch(
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = 'rooms' AND column_name = 'room_id' AND table_name <> 'idempotency_keys'"
    )
    assert len(tables) >= 9
    for (table,) in tables:
        assert await rooms.fetch(f"SELECT FROM rooms.{table} WHERE room_id = $1", room_id) == [], table


@pytest.mark.parametrize("with_redis", [True, False])
async def test_settings_and_deletion_cross_replicas(
    stack: kit.Stack, redis_url: str, with_redis: bool
) -> None:
    stack.redis_url = redis_url if with_redis else ""
    here, there = await stack.start(), await stack.start()
    room_id = await here.create(OWNER)
    await here.join(room_id, MEMBER)
    bob = await there.connect(room_id, MEMBER)
    await update(here, room_id, topic="ideals")
    assert (await bob.payload("room_updated"))["room"]["topic"] == "ideals"
    await here.call("DeleteRoom", pb.DeleteRoomRequest(room_id=room_id), OWNER)
    assert await bob.closed() == (4004, "ROOM_DELETED")


async def test_however_much_was_said_a_room_is_gone_at_once_and_its_log_soon(
    rooms: kit.Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rooms.log.erasure.BATCH", 10)
    room_id, other = await rooms.create(), await rooms.create()
    for place in (room_id, other):
        await rooms.execute(
            "INSERT INTO rooms.events (room_id, seq, user_id, text)"
            " SELECT $1, n, 1, 'something' FROM generate_series(1, 35) n",
            place,
        )
    await rooms.call("DeleteRoom", pb.DeleteRoomRequest(room_id=room_id), OWNER)
    while await rooms.fetch("SELECT FROM rooms.deleted_rooms"):  # noqa: ASYNC110  # the tables tell nobody
        await asyncio.sleep(0.02)
    assert await rooms.fetch("SELECT FROM rooms.events WHERE room_id = $1", room_id) == []
    assert len(await rooms.fetch("SELECT FROM rooms.events WHERE room_id = $1", other)) == 35
