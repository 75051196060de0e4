"""Joining and leaving: members, seats, and who sees whom."""

import asyncio
import itertools
import time
from types import SimpleNamespace

import pytest

from common.errors import Conflict
from proto import rooms_pb2 as pb
from tests.rooms import kit


async def seated(rooms: kit.Rooms, room_id: str) -> list[tuple[str, bool]]:
    """Who has a seat, and whether they are online."""
    answer = await rooms.call("ListParticipants", pb.ListParticipantsRequest(room_id=room_id), 1)
    return [(seat.user_id, seat.online) for seat in answer.items]


async def test_joining_takes_a_seat_and_joining_again_keeps_it(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    answer = await rooms.call("JoinRoom", pb.JoinRoomRequest(room_id=room_id), 2)
    assert (answer.room_id, answer.peer_id) == (room_id, "2")
    await rooms.join(room_id, 2)
    assert await seated(rooms, room_id) == [("2", False)]


async def test_a_full_room_says_so_and_its_people_may_come_again(rooms: kit.Rooms) -> None:
    room_id = await rooms.create(max=2)
    await rooms.join(room_id, 1, 2)
    with pytest.raises(Conflict) as caught:
        await rooms.join(room_id, 3)
    assert caught.value.code == "ROOM_FULL"
    await rooms.join(room_id, 1, 2)
    await rooms.leave(room_id, 2)
    await rooms.join(room_id, 3)


async def test_a_newcomer_sees_who_is_there_and_they_see_the_newcomer(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann = await rooms.enter(room_id, 1)
    await rooms.join(room_id, 2)
    bob = await rooms.connect(room_id, 2)

    hello, state = bob.seen[0]["payload"], bob.seen[1]["payload"]
    assert hello["last_seq"] == 0
    assert hello["heartbeat_ms"] == 15000
    assert hello["limits"] == {
        "frame_bytes": 65536,
        "chat_code_points": 4000,
        "chat_per_second": 5,
        "chat_burst": 10,
    }
    assert [(p["user_id"], p["display_name"], p["role"]) for p in state["participants"]] == [
        ("1", "Person 1", "owner"),
        ("2", "Person 2", "member"),
    ]
    joined = await ann[0].payload("peer_joined")
    assert joined == {
        "room_id": room_id,
        "user_id": "2",
        "display_name": "Person 2",
        "participant": state["participants"][1],
    }
    assert await seated(rooms, room_id) == [("1", True), ("2", True)]


async def test_leaving_closes_every_tab_and_the_others_see_it(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    tab = await rooms.connect(room_id, 2)
    answer = await rooms.call("LeaveRoom", pb.LeaveRoomRequest(room_id=room_id), 2)
    assert answer.status == "left"
    assert await bob.closed() == (4003, "LEFT")
    assert await tab.closed() == (4003, "LEFT")
    assert await ann.payload("peer_left") == {"room_id": room_id, "user_id": "2"}
    assert await seated(rooms, room_id) == [("1", True)]


async def test_leaving_twice_is_leaving(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    await rooms.leave(room_id, 2)
    await rooms.leave(room_id, 2)


async def test_who_leaves_a_private_room_may_come_back(rooms: kit.Rooms) -> None:
    room_id = await rooms.create(visibility="private")
    code = (await rooms.call("CreateInvite", pb.CreateInviteRequest(room_id=room_id, max_uses=1), 1)).code
    await rooms.call("AcceptInvite", pb.AcceptInviteRequest(code=code), 2)
    ann, bob = await rooms.enter(room_id, 1, 2)
    for user_id, socket in ((1, ann), (2, bob)):
        await rooms.leave(room_id, user_id)
        assert await socket.closed() == (4003, "LEFT")
    assert await seated(rooms, room_id) == []
    await rooms.enter(room_id, 1, 2)


async def test_a_lost_connection_leaves_then_loses_its_seat_and_its_voice(
    stack: kit.Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8 s, then 30 s; shorter here."""
    monkeypatch.setattr("rooms.core.participants.GRACE_SECONDS", 0.1)
    monkeypatch.setattr("rooms.core.participants.SEAT_SECONDS", 0.3)
    for seconds in ("seats.JOIN_SECONDS", "arrivals.SEAT_SECONDS", "presence.SEAT_SECONDS"):
        monkeypatch.setattr(f"rooms.tables.{seconds}", 1.0)
    monkeypatch.setattr("rooms.serve.RENEW_SECONDS", 0.05)
    rooms = await stack.start()
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    await bob.ws.close()
    assert await ann.payload("peer_left") == {"room_id": room_id, "user_id": "2"}
    assert await rooms.media.called() == ("close", "2")
    async with asyncio.timeout(kit.PATIENCE):
        while await seated(rooms, room_id) != [("1", True)]:
            pass
    again = await rooms.connect(room_id, 2)  # membership stays
    assert again.seen[0]["type"] == "hello"


async def test_a_mute_outlives_the_visit(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    await bob.send("mute", {"muted": True})
    updated = await ann.payload("participant_updated")
    assert (updated["user_id"], updated["participant"]["muted"]) == ("2", True)
    assert updated["participant"]["muted_by"] == "self"

    async with rooms.http.ws_connect(
        rooms.url(room_id, access_token=kit.token(2), user_id=2)
    ) as ws:  # a second tab, so that the tables are asked
        state = kit.Socket(ws)
        participants = (await state.payload("state"))["participants"]
    assert [(p["user_id"], p["muted"]) for p in participants] == [("1", False), ("2", True)]


async def test_a_clock_that_is_set_back_keeps_nobody_who_is_gone(
    rooms: kit.Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rooms.core.participants.GRACE_SECONDS", 0.1)
    backwards = itertools.count(int(time.time()), -1)
    monkeypatch.setattr("rooms.hub.time", SimpleNamespace(time=lambda: next(backwards)))
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    await bob.ws.close()
    assert (await ann.payload("peer_left"))["user_id"] == "2"
