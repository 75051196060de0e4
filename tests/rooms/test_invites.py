"""Invites: links into a room, that expire, can be revoked, and count whom they let in."""

import asyncio
from typing import Any

import pytest

from common.errors import Conflict, Forbidden, InvalidFields, NotFound
from proto import rooms_pb2 as pb
from tests.rooms import kit


async def invite(rooms: kit.Rooms, room_id: str, user_id: int = 1, **fields: Any) -> pb.Invite:
    made: pb.Invite = await rooms.call(
        "CreateInvite", pb.CreateInviteRequest(room_id=room_id, **fields), user_id
    )
    return made


async def accept(rooms: kit.Rooms, code: str, user_id: int) -> pb.Room:
    room: pb.Room = await rooms.call("AcceptInvite", pb.AcceptInviteRequest(code=code), user_id)
    return room


async def listed(rooms: kit.Rooms, room_id: str) -> list[tuple[str, int]]:
    """The codes that open the door, and how many came in by each."""
    answer = await rooms.call("ListInvites", pb.ListInvitesRequest(room_id=room_id), 1)
    return [(item.code, item.uses) for item in answer.items]


async def test_an_invite_leads_into_a_private_room_with_a_seat(rooms: kit.Rooms) -> None:
    room_id = await rooms.create(visibility="private")
    made = await invite(rooms, room_id)
    assert (made.room_id, made.created_by, made.max_uses, made.uses) == (room_id, "1", 0, 0)
    assert len(made.code) == 22  # 128 bits
    assert made.expires_at > made.created_at
    room = await accept(rooms, made.code, 2)
    assert (room.id, room.role, room.participants) == (room_id, "member", 1)
    await rooms.connect(room_id, 2)


async def test_each_person_counts_once(rooms: kit.Rooms) -> None:
    room_id = await rooms.create(visibility="private")
    made = await invite(rooms, room_id, max_uses=1)
    for _ in range(2):
        await accept(rooms, made.code, 2)
    await rooms.leave(room_id, 2)
    await accept(rooms, made.code, 2)
    with pytest.raises(NotFound) as caught:
        await accept(rooms, made.code, 3)
    assert caught.value.code == "INVITE_INVALID"
    assert await listed(rooms, room_id) == []


async def test_fifty_at_once_for_ten_uses(stack: kit.Stack) -> None:
    """Over two replicas: what counts is in the tables."""
    pair = await stack.start(), await stack.start()
    room_id = await pair[0].create(visibility="private", max=500)
    made = await invite(pair[0], room_id, max_uses=10)
    answers = await asyncio.gather(
        *(accept(pair[user_id % 2], made.code, user_id) for user_id in range(100, 150)),
        return_exceptions=True,
    )
    codes = [answer.code for answer in answers if isinstance(answer, NotFound)]
    assert codes == ["INVITE_INVALID"] * 40
    assert (await pair[0].call("GetRoom", pb.GetRoomRequest(room_id=room_id), 1)).participants == 10


async def test_what_does_not_hold_is_answered_all_alike(rooms: kit.Rooms) -> None:
    room_id = await rooms.create(visibility="private")
    expired, revoked, used = [await invite(rooms, room_id, max_uses=1) for _ in range(3)]
    await rooms.execute(
        "UPDATE rooms.invites SET expires_at = now() - interval '1 second' WHERE code = $1", expired.code
    )
    await rooms.call("RevokeInvite", pb.RevokeInviteRequest(room_id=room_id, code=revoked.code), 1)
    await accept(rooms, used.code, 2)
    answers = set()
    for code in (expired.code, revoked.code, used.code, "nonsense", ""):
        with pytest.raises(NotFound) as caught:
            await accept(rooms, code, 3)
        answers.add((caught.value.code, caught.value.message))
    assert len(answers) == 1


async def test_nobody_comes_in_past_a_ban_a_lock_or_the_last_seat_and_none_of_them_counts(
    rooms: kit.Rooms,
) -> None:
    room_id = await rooms.create(max=1)
    made = await invite(rooms, room_id, max_uses=5)
    await rooms.create(2)
    await rooms.call("Moderate", pb.ModerateRequest(room_id=room_id, user_id="2", action="ban"), 1)
    await rooms.join(room_id, 1)
    with pytest.raises(Forbidden) as banned:
        await accept(rooms, made.code, 2)
    with pytest.raises(Conflict) as full:
        await accept(rooms, made.code, 3)
    await rooms.call("UpdateRoom", pb.UpdateRoomRequest(room_id=room_id, locked=True, max=9), 1)
    with pytest.raises(Forbidden) as locked:
        await accept(rooms, made.code, 3)
    assert (banned.value.code, full.value.code, locked.value.code) == ("BANNED", "ROOM_FULL", "ROOM_LOCKED")
    assert await listed(rooms, room_id) == [(made.code, 0)]


async def test_invites_are_the_moderators(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    await rooms.join(room_id, 2)
    made = await invite(rooms, room_id)
    for method, request in (
        ("CreateInvite", pb.CreateInviteRequest(room_id=room_id)),
        ("ListInvites", pb.ListInvitesRequest(room_id=room_id)),
        ("RevokeInvite", pb.RevokeInviteRequest(room_id=room_id, code=made.code)),
    ):
        with pytest.raises(Forbidden) as caught:
            await rooms.call(method, request, 2)
        assert caught.value.code == "MODERATORS_ONLY"
    elsewhere = await rooms.create(2)
    with pytest.raises(NotFound):
        await rooms.call("RevokeInvite", pb.RevokeInviteRequest(room_id=elsewhere, code=made.code), 2)


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ("expires_in", {"expires_in": 59}),
        ("expires_in", {"expires_in": 31_536_001}),
        ("max_uses", {"max_uses": 0}),
        ("max_uses", {"max_uses": 10_001}),
    ],
)
async def test_a_wrong_field_is_named(rooms: kit.Rooms, wrong: str, fields: dict[str, int]) -> None:
    room_id = await rooms.create()
    with pytest.raises(InvalidFields) as caught:
        await invite(rooms, room_id, **fields)
    assert [error.field for error in caught.value.errors] == [wrong]
