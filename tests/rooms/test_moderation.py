"""Moderation: rows and an event in one transaction, so it holds on every replica, with Redis or without."""

from typing import Any
from uuid import UUID

import pytest

from common.errors import Forbidden, InvalidFields, NotFound
from common.tokens import Identity
from proto import rooms_pb2 as pb
from rooms.core.participant import Member
from rooms.tables.arrivals import Arrivals
from tests.rooms import kit

OWNER, MODERATOR, MEMBER, OTHER = 1, 2, 3, 4


async def rule(rooms: kit.Rooms, room_id: str, by: int, whom: int, action: str, **more: Any) -> int:
    """What `by` does to `whom`; the seq of it."""
    request = pb.ModerateRequest(room_id=room_id, user_id=str(whom), action=action, **more)
    return int((await rooms.call("Moderate", request, by)).seq)


async def refusal(rooms: kit.Rooms, room_id: str, by: int, whom: int, action: str, **more: Any) -> str:
    """The code of it."""
    with pytest.raises((Forbidden, NotFound)) as caught:
        await rule(rooms, room_id, by, whom, action, **more)
    return caught.value.code


async def seats(rooms: kit.Rooms, room_id: str) -> dict[str, Any]:
    answer = await rooms.call("ListParticipants", pb.ListParticipantsRequest(room_id=room_id), OWNER)
    return {seat.user_id: seat for seat in answer.items}


@pytest.fixture
async def room_id(rooms: kit.Rooms) -> str:
    """A room with an owner, a moderator and two members, none connected."""
    room_id = await rooms.create(OWNER)
    await rooms.join(room_id, OWNER, MODERATOR, MEMBER, OTHER)
    await rule(rooms, room_id, OWNER, MODERATOR, "role", role="moderator")
    return room_id


async def test_who_may_do_what_to_whom(rooms: kit.Rooms, room_id: str) -> None:
    assert await refusal(rooms, room_id, MEMBER, OTHER, "mute") == "MODERATORS_ONLY"
    assert await refusal(rooms, room_id, MODERATOR, OWNER, "mute") == "OWNER_ONLY"
    assert await refusal(rooms, room_id, MODERATOR, MEMBER, "role", role="moderator") == "OWNER_ONLY"
    assert await refusal(rooms, room_id, MODERATOR, MODERATOR, "role", role="member") == "NOT_ON_YOURSELF"
    assert await refusal(rooms, room_id, OWNER, OWNER, "kick") == "NOT_ON_YOURSELF"
    assert await refusal(rooms, room_id, 9, MEMBER, "kick") == "NOT_A_MEMBER"
    assert await refusal(rooms, room_id, OWNER, 9, "kick") == "MEMBER_NOT_FOUND"
    assert await refusal(rooms, room_id, OWNER, 9, "ban") == "PERSON_NOT_FOUND"
    assert await refusal(rooms, room_id, OWNER, MEMBER, "unban") == "BAN_NOT_FOUND"
    assert await rule(rooms, room_id, MODERATOR, MEMBER, "role", role="listener") == 2
    assert await rule(rooms, room_id, OWNER, MODERATOR, "mute") == 3


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ("user_id", {"user_id": "Ann", "action": "kick"}),
        ("action", {"user_id": "3", "action": "tickle"}),
        ("role", {"user_id": "3", "action": "role", "role": "owner"}),
        ("seconds", {"user_id": "3", "action": "ban", "seconds": 0}),
    ],
)
async def test_a_wrong_field_is_named(rooms: kit.Rooms, wrong: str, fields: dict[str, Any]) -> None:
    room_id = await rooms.create(OWNER)
    with pytest.raises(InvalidFields) as caught:
        await rooms.call("Moderate", pb.ModerateRequest(room_id=room_id, **fields), OWNER)
    assert [error.field for error in caught.value.errors] == [wrong]


async def test_what_is_so_already_is_no_event(rooms: kit.Rooms, room_id: str) -> None:
    assert await rule(rooms, room_id, OWNER, MEMBER, "mute") == 2
    assert await rule(rooms, room_id, MODERATOR, MEMBER, "mute") == 2
    assert await rule(rooms, room_id, OWNER, OTHER, "unmute") == 2
    assert await rule(rooms, room_id, OWNER, OTHER, "role", role="member") == 2


async def test_a_moderator_on_the_websocket_is_acked_after_everybody_is_told(
    rooms: kit.Rooms, room_id: str
) -> None:
    ann, bob = await rooms.connect(room_id, OWNER), await rooms.connect(room_id, MEMBER)
    await ann.until("peer_joined")
    await ann.send("moderate", {"action": "mute", "user_id": str(MEMBER)}, id="7")
    for socket in (ann, bob):
        moderated = await socket.until("moderated")
        assert moderated["seq"] == 2
        assert (moderated["payload"]["by"], moderated["payload"]["action"]) == ("1", "mute")
        updated = await socket.payload("participant_updated")
        assert updated["participant"]["muted_by"] == "moderator"
    ack = await ann.until("ack")
    assert (ack["id"], ack["payload"]["seq"], ack["payload"]["duplicate"]) == ("7", 2, False)
    await ann.send("moderate", {"action": "mute", "user_id": str(MEMBER)}, id="8")
    assert (await ann.until("ack"))["payload"]["duplicate"] is True
    await bob.send("moderate", {"action": "kick", "user_id": str(OWNER)}, id="9")
    error = await bob.until("error")
    assert (error["id"], error["payload"]["code"]) == ("9", "MODERATORS_ONLY")


async def test_nobody_sheds_a_moderators_mute(rooms: kit.Rooms, room_id: str) -> None:
    """Not by unmuting, not by leaving; and the worker hears of it."""
    bob = await rooms.connect(room_id, MEMBER)
    await rule(rooms, room_id, MODERATOR, MEMBER, "mute")
    assert await rooms.media.called() == ("set_muted", str(MEMBER), True)
    await bob.until("participant_updated")
    await bob.send("mute", {"muted": False})
    assert (await bob.payload("error"))["code"] == "MUTED_BY_MODERATOR"
    await rooms.leave(room_id, MEMBER)
    await rooms.join(room_id, MEMBER)
    assert (await seats(rooms, room_id))[str(MEMBER)].muted_by == "moderator"
    again = await rooms.connect(room_id, MEMBER)
    await again.send("offer", {"sdp": "sdp"})
    await again.until("answer")
    calls = [
        await rooms.media.called() for _ in range(2)
    ]  # the voice of the stay that ended, and the new one
    assert calls == [("close", str(MEMBER)), ("negotiate", str(MEMBER), "sdp", True)]
    await rule(rooms, room_id, MODERATOR, MEMBER, "unmute")
    assert await rooms.media.called() == ("set_muted", str(MEMBER), False)


async def test_lifting_a_mute_gives_back_ones_own(rooms: kit.Rooms, room_id: str) -> None:
    bob = await rooms.connect(room_id, MEMBER)
    await bob.send("mute", {"muted": True})
    await bob.send("mute", {"muted": True}, id="kept")  # answered when the first is in the tables, or before
    await bob.until("participant_updated")
    async with rooms.http.ws_connect(rooms.url(room_id, access_token=kit.token(MEMBER))) as ws:
        await kit.Socket(ws).until("state")  # admitted after the mute was saved
    await rule(rooms, room_id, OWNER, MEMBER, "mute")
    assert (await seats(rooms, room_id))[str(MEMBER)].muted_by == "moderator"
    await rule(rooms, room_id, OWNER, MEMBER, "unmute")
    assert (await seats(rooms, room_id))[str(MEMBER)].muted_by == "self"


async def test_who_is_kicked_may_join_again_but_not_as_a_moderator(rooms: kit.Rooms, room_id: str) -> None:
    bob = await rooms.connect(room_id, MODERATOR)
    await rule(rooms, room_id, OWNER, MODERATOR, "kick")
    assert await bob.closed() == (4003, "KICKED")
    assert bob.seen[-1]["payload"]["action"] == "kick"  # told before the door closes
    assert await rooms.media.called() == ("close", str(MODERATOR))
    assert str(MODERATOR) not in await seats(rooms, room_id)
    await rooms.join(room_id, MODERATOR)
    assert (await seats(rooms, room_id))[str(MODERATOR)].role == "member"


async def test_a_role_outlives_leaving(rooms: kit.Rooms, room_id: str) -> None:
    await rule(rooms, room_id, OWNER, MEMBER, "role", role="listener")
    for user_id in (MODERATOR, MEMBER):
        await rooms.leave(room_id, user_id)
    assert await refusal(rooms, room_id, MODERATOR, OTHER, "mute") == "NOT_A_MEMBER"
    await rooms.join(room_id, MODERATOR, MEMBER)
    roles = {user_id: seat.role for user_id, seat in (await seats(rooms, room_id)).items()}
    assert roles == {"1": "owner", "2": "moderator", "3": "listener", "4": "member"}


async def test_the_role_of_somebody_who_has_left_can_be_changed(rooms: kit.Rooms, room_id: str) -> None:
    for user_id in (MODERATOR, OTHER):
        await rooms.leave(room_id, user_id)
    await rooms.join(room_id, OTHER)
    assert await refusal(rooms, room_id, OTHER, MODERATOR, "role", role="member") == "MODERATORS_ONLY"
    assert await rule(rooms, room_id, OWNER, MODERATOR, "role", role="member") == 2
    assert await rule(rooms, room_id, OWNER, MODERATOR, "role", role="member") == 2  # so already
    await rooms.join(room_id, MODERATOR)
    assert (await seats(rooms, room_id))[str(MODERATOR)].role == "member"
    await rooms.leave(room_id, MODERATOR)  # with nothing given or denied
    assert await refusal(rooms, room_id, OWNER, MODERATOR, "role", role="listener") == "MEMBER_NOT_FOUND"


async def test_a_ban_takes_the_role_of_a_moderator_who_has_left(rooms: kit.Rooms, room_id: str) -> None:
    await rooms.leave(room_id, MODERATOR)
    await rule(rooms, room_id, OWNER, MODERATOR, "ban")
    await rule(rooms, room_id, OWNER, MODERATOR, "unban")
    await rooms.join(room_id, MODERATOR)
    assert (await seats(rooms, room_id))[str(MODERATOR)].role == "member"


async def test_a_ban_closes_the_door_and_says_until_when(rooms: kit.Rooms, room_id: str) -> None:
    bob = await rooms.connect(room_id, MEMBER)
    await rule(rooms, room_id, MODERATOR, MEMBER, "ban", seconds=3600)
    assert await bob.closed() == (4003, "BANNED")
    (listed,) = (await rooms.call("ListBans", pb.ListBansRequest(room_id=room_id), OWNER)).items
    assert (listed.user_id, listed.display_name, listed.by) == ("3", "Person 3", "2")
    with pytest.raises(Forbidden) as caught:
        await rooms.join(room_id, MEMBER)
    assert caught.value.code == "BANNED"
    assert listed.until[:10] in caught.value.message
    page = await rooms.dial(
        rooms.url(room_id, access_token=kit.token(MEMBER)), headers={"Origin": "http://localhost:8080"}
    )
    assert await page.closed() == (4003, "BANNED")
    await rule(rooms, room_id, OWNER, MEMBER, "unban")
    await rooms.join(room_id, MEMBER)
    assert not (await rooms.call("ListBans", pb.ListBansRequest(room_id=room_id), OWNER)).items
    with pytest.raises(Forbidden):
        await rooms.call("ListBans", pb.ListBansRequest(room_id=room_id), MEMBER)


async def test_a_ban_ends_by_itself_and_holds_for_who_was_never_in_the_room(
    rooms: kit.Rooms, room_id: str
) -> None:
    await rooms.create(9)  # known, but not here
    await rule(rooms, room_id, OWNER, 9, "ban")
    with pytest.raises(Forbidden) as caught:
        await rooms.join(room_id, 9)
    assert "until" not in caught.value.message
    await rooms.execute("UPDATE rooms.bans SET until = now()")
    await rooms.join(room_id, 9)
    assert await refusal(rooms, room_id, OWNER, 9, "unban") == "BAN_NOT_FOUND"


async def test_a_listener_and_a_listen_only_room_are_silent_in_the_packets(
    rooms: kit.Rooms, room_id: str
) -> None:
    bob = await rooms.connect(room_id, MEMBER)
    await rule(rooms, room_id, OWNER, MEMBER, "role", role="listener")
    assert await rooms.media.called() == ("set_muted", "3", True)
    assert (await bob.payload("participant_updated"))["participant"]["may_speak"] is False
    await bob.send("offer", {"sdp": "sdp"})
    assert await rooms.media.called() == ("negotiate", "3", "sdp", True)
    voice_id = (await bob.payload("answer"))["voice_id"]
    await bob.send("voice_attach", {"voice_id": voice_id})
    assert await rooms.media.called() == ("attach", "3", voice_id, True)
    await rule(rooms, room_id, OWNER, MEMBER, "role", role="member")
    assert await rooms.media.called() == ("set_muted", "3", False)
    await rooms.call("UpdateRoom", pb.UpdateRoomRequest(room_id=room_id, listen_only=True), MODERATOR)
    assert await rooms.media.called() == ("set_muted", "3", True)
    await bob.send("chat", {"message": "I may write"})
    await bob.until("chat_ack")


async def test_a_voice_without_a_websocket_is_muted_and_closed_too(rooms: kit.Rooms, room_id: str) -> None:
    """Nobody has the room open, and the worker hears of it all the same."""
    await rule(rooms, room_id, OWNER, MEMBER, "mute")
    assert await rooms.media.called() == ("set_muted", "3", True)
    await rule(rooms, room_id, OWNER, MEMBER, "kick")
    assert await rooms.media.called() == ("close", "3")


async def test_a_ruling_that_overtakes_somebody_at_the_door(
    rooms: kit.Rooms, room_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Admitted, and kicked or muted before the room has them: the tables are asked once more."""
    ann = await rooms.connect(room_id, OWNER)
    admit, actions = Arrivals.admit, {MEMBER: "kick", OTHER: "mute"}

    async def overtaken(self: Arrivals, where: UUID, identity: Identity) -> Member:
        member = await admit(self, where, identity)
        await rule(rooms, room_id, OWNER, member.user_id, actions[member.user_id])
        await ann.until("moderated")
        return member

    monkeypatch.setattr(Arrivals, "admit", overtaken)
    kicked = await rooms.dial(rooms.url(room_id, access_token=kit.token(MEMBER)))
    assert await kicked.closed() == (4003, "NOT_A_MEMBER")
    muted = await rooms.connect(room_id, OTHER)
    by_whom = {p["user_id"]: p["muted_by"] for p in muted.seen[-1]["payload"]["participants"]}
    assert by_whom == {"1": "", "4": "moderator"}


@pytest.fixture(params=["with Redis", "without Redis"])
async def pair(
    request: pytest.FixtureRequest, stack: kit.Stack, redis_url: str
) -> tuple[kit.Rooms, kit.Rooms]:
    """Two replicas on one database."""
    stack.redis_url = redis_url if request.param == "with Redis" else ""
    return await stack.start(), await stack.start()


async def test_moderation_crosses_replicas(pair: tuple[kit.Rooms, kit.Rooms]) -> None:
    here, there = pair
    room_id = await here.create(OWNER)
    await here.join(room_id, OWNER, MEMBER, OTHER)
    ann, bob, eve = (
        await here.connect(room_id, OWNER),
        await there.connect(room_id, MEMBER),
        await there.connect(room_id, OTHER),
    )
    for _ in range(2):
        await ann.until("peer_joined")
    await ann.send("moderate", {"action": "mute", "user_id": "3"})
    for socket in (bob, eve, ann):
        assert (await socket.payload("moderated"))["action"] == "mute"
        assert (await socket.payload("participant_updated"))["participant"]["muted_by"] == "moderator"
    await ann.send("moderate", {"action": "kick", "user_id": "3"})
    assert await bob.closed() == (4003, "KICKED")  # and never LEFT, whatever that replica heard of first
    for socket in (ann, eve):
        assert (await socket.payload("moderated"))["action"] == "kick"
        assert (await socket.payload("peer_left"))["user_id"] == "3"
    again = await there.connect(room_id, OTHER)
    assert [p["user_id"] for p in again.seen[-1]["payload"]["participants"]] == ["1", "4"]
