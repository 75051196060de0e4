"""Hands, kept and shown in the order of their time; and names, as the newest token has them."""

from datetime import datetime

import pytest

from proto import rooms_pb2 as pb
from tests.rooms import kit


@pytest.fixture(params=["with Redis", "without Redis"])
async def pair(
    request: pytest.FixtureRequest, stack: kit.Stack, redis_url: str
) -> tuple[kit.Rooms, kit.Rooms]:
    """Two replicas on one database."""
    stack.redis_url = redis_url if request.param == "with Redis" else ""
    return await stack.start(), await stack.start()


async def hands(rooms: kit.Rooms, room_id: str) -> dict[str, int]:
    """Whose hands are up, and since when, in unix milliseconds."""
    answer = await rooms.call("ListParticipants", pb.ListParticipantsRequest(room_id=room_id), 1)
    return {
        seat.user_id: round(datetime.fromisoformat(seat.hand_raised_at).timestamp() * 1000)
        for seat in answer.items
        if seat.hand_raised_at
    }


async def test_hands_are_seen_on_every_replica_in_their_order(pair: tuple[kit.Rooms, kit.Rooms]) -> None:
    here, there = pair
    room_id = await here.create()
    await here.join(room_id, 1, 2)
    ann, bob = await here.connect(room_id, 1), await there.connect(room_id, 2)
    await ann.until("peer_joined")
    raised = {}
    for socket, user_id in ((bob, "2"), (ann, "1")):
        await socket.send("hand", {"raised": True}, id="up")
        for other in (ann, bob):
            updated = await other.payload("participant_updated")
            assert updated["user_id"] == user_id
            raised[user_id] = updated["participant"]["hand_raised_at"]
    assert raised["2"] <= raised["1"]
    assert await hands(here, room_id) == raised
    await bob.send("hand", {"raised": False})
    assert (await ann.payload("participant_updated"))["participant"]["hand_raised_at"] is None
    assert await hands(here, room_id) == {"1": raised["1"]}


async def test_a_hand_outlives_a_tab_and_not_a_leaving(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    await ann.send("hand", {"raised": True})
    up = (await ann.payload("participant_updated"))["participant"]["hand_raised_at"]
    tab = await rooms.connect(room_id, 1)
    assert tab.seen[-1]["payload"]["participants"][0]["hand_raised_at"] == up
    await rooms.leave(room_id, 1)  # the owner, who stays a member
    await rooms.join(room_id, 1)
    assert await hands(rooms, room_id) == {}


async def test_who_lost_the_seat_comes_back_with_the_hand_down(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    await ann.send("hand", {"raised": True})
    await ann.until("participant_updated")
    await rooms.execute("UPDATE rooms.seats SET expires_at = now() - interval '1 second'")
    await rooms.join(room_id, 1)
    assert await hands(rooms, room_id) == {}


async def test_a_newer_token_renames_on_every_replica(pair: tuple[kit.Rooms, kit.Rooms]) -> None:
    here, there = pair
    room_id = await here.create()
    await here.join(room_id, 1, 2)
    ann, bob = await here.connect(room_id, 1), await there.connect(room_id, 2)
    await ann.until("peer_joined")
    await bob.send("auth", {"access_token": kit.token(2, "Robert")})
    for socket in (ann, bob):
        updated = await socket.payload("participant_updated")
        assert (updated["user_id"], updated["participant"]["display_name"]) == ("2", "Robert")
    again = await there.dial(there.url(room_id, access_token=kit.token(2, "Bob again")))
    await again.until("state")  # another tab, with another token
    for socket in (ann, bob):
        assert (await socket.payload("participant_updated"))["participant"]["display_name"] == "Bob again"
