"""A voice whose replica stopped runs on at the worker: whichever replica hears that it must not tells it."""

from typing import Any

import pytest

from proto import rooms_pb2
from rooms.core import effects as do
from rooms.voice_calls import VoiceCalls
from tests.rooms import kit
from tests.rooms.test_signalling import offer

ANN, BOB, CAROL = 1, 2, 3


@pytest.fixture
async def room_id(stack: kit.Stack) -> str:
    """A room in which Bob speaks, and the replica that he was connected to is gone."""
    async with stack.running() as rooms:
        room_id = await rooms.create(ANN)
        (bob,) = await rooms.enter(room_id, BOB)
        await offer(bob)
    assert await stack.media.called() == ("negotiate", "2", "v=0", False)
    await rooms.execute("DELETE FROM rooms.presence")
    return room_id


async def rule(rooms: kit.Rooms, room_id: str, action: str, **fields: Any) -> None:
    ruling = rooms_pb2.ModerateRequest(room_id=room_id, user_id=str(BOB), action=action, **fields)
    await rooms.call("Moderate", ruling, ANN)


async def listen_only(rooms: kit.Rooms, room_id: str) -> None:
    await rooms.call("UpdateRoom", rooms_pb2.UpdateRoomRequest(room_id=room_id, listen_only=True), ANN)


@pytest.fixture(params=["a room that is open here", "a room that is not"])
async def rooms(request: pytest.FixtureRequest, stack: kit.Stack, room_id: str) -> kit.Rooms:
    """Another replica. Its worker is there: it has answered."""
    rooms = await stack.start()
    (carol,) = await rooms.enter(await rooms.create(CAROL), CAROL)
    await offer(carol)
    assert (await stack.media.called())[:2] == ("negotiate", str(CAROL))
    if request.param == "a room that is open here":
        await rooms.connect(room_id, ANN)
    return rooms


async def test_leaving_ends_it(rooms: kit.Rooms, room_id: str) -> None:
    await rooms.leave(room_id, BOB)
    assert await rooms.media.called() == ("close", "2")


async def test_with_the_room_it_ends(rooms: kit.Rooms, room_id: str) -> None:
    await rooms.call("DeleteRoom", rooms_pb2.DeleteRoomRequest(room_id=room_id), ANN)
    called = await rooms.media.called()
    assert ("close", "2") in (called, called if called[1] == "2" else await rooms.media.called())


async def test_in_a_listen_only_room_it_is_silent(rooms: kit.Rooms, room_id: str) -> None:
    await listen_only(rooms, room_id)
    assert await rooms.media.called() == ("set_muted", "2", True)


async def test_of_who_is_no_moderator_any_more_in_such_a_room(rooms: kit.Rooms, room_id: str) -> None:
    await rule(rooms, room_id, "role", role="moderator")
    await listen_only(rooms, room_id)
    await rule(rooms, room_id, "role", role="member")
    assert await rooms.media.called() == ("set_muted", "2", True)


async def test_while_the_lease_of_a_replica_that_died_still_runs(rooms: kit.Rooms, room_id: str) -> None:
    ann = await rooms.connect(room_id, ANN)
    await rooms.execute(
        "WITH joined AS (UPDATE rooms.rooms SET roster_version = roster_version + 1 WHERE id = $1)"
        " INSERT INTO rooms.presence (room_id, user_id, replica, expires_at)"
        " VALUES ($1, 2, gen_random_uuid(), now() + interval '1 hour')",
        room_id,
    )
    assert (await ann.payload("peer_joined"))["user_id"] == "2"
    await rule(rooms, room_id, "mute")
    assert await rooms.media.called() == ("set_muted", "2", True)


async def test_it_ends_when_the_seat_has_run_out(
    stack: kit.Stack, room_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and not where somebody is connected who could not renew the seat yet."""
    monkeypatch.setattr("rooms.serve.RENEW_SECONDS", 0.2)
    monkeypatch.setattr("rooms.serve.SURE_SECONDS", 0.2)
    rooms = await stack.start()
    (ann,) = await rooms.enter(room_id, ANN)
    await offer(ann)
    assert (await rooms.media.called())[:2] == ("negotiate", str(ANN))
    await rooms.join(room_id, CAROL)
    await rooms.execute(
        "INSERT INTO rooms.presence (room_id, user_id, replica, expires_at)"
        " VALUES ($1, 3, gen_random_uuid(), now() + interval '1 hour')",
        room_id,
    )
    await rooms.execute("UPDATE rooms.seats SET expires_at = now() - interval '1 second'")
    assert await rooms.media.called() == ("close", "2")
    seats = await rooms.fetch("SELECT user_id FROM rooms.seats WHERE room_id = $1 ORDER BY user_id", room_id)
    assert [seat["user_id"] for seat in seats] == [ANN, CAROL]
    await rooms.execute("DELETE FROM rooms.presence WHERE user_id = 3")
    assert await rooms.media.called() == ("close", "3")


async def test_what_is_for_another_replica_to_say_is_not_told(
    stack: kit.Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mute and its end heard at once: told late, the mute would stay."""
    made: list[VoiceCalls] = []

    def make(*args: Any, **kwargs: Any) -> VoiceCalls:
        made.append(VoiceCalls(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr("rooms.serve.VoiceCalls", make)
    rooms = await stack.start()
    room_id = await rooms.create()
    (bob,) = await rooms.enter(room_id, BOB)
    await offer(bob)
    for muted in (True, None):
        made[0].mute(room_id, do.MuteVoice(BOB, muted))
    await offer(bob)
    assert [(await rooms.media.called())[0] for _ in range(2)] == ["negotiate", "negotiate"]
