"""Invites and tickets over the whole chain."""

import aiohttp
import pytest

from tests.integration.conftest import NewStudent


async def test_a_ticket_opens_one_websocket_once(student: NewStudent) -> None:
    anna, boris = await student("Anna"), await student("Boris")
    room = await anna.create_room("Algebra")
    await boris.post(f"/rooms/{room}/tickets", status=403)
    await boris.post(f"/rooms/{room}/join")
    ticket = await boris.post(f"/rooms/{room}/tickets", status=201)
    async with boris.connected_at(ticket["ws_url"]):
        assert (await boris.say("in", "1"))["seq"] == 1
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with boris.connected_at(ticket["ws_url"]):
            pass
    assert refused.value.status == 401


async def test_an_invite_lets_one_person_into_a_private_room(student: NewStudent) -> None:
    anna, boris, vera = await student("Anna"), await student("Boris"), await student("Vera")
    room = await anna.create_room("Thesis", visibility="private")
    assert (await boris.get(f"/rooms/{room}", status=404))["code"] == "ROOM_NOT_FOUND"
    invite = await anna.post(f"/rooms/{room}/invites", {"max_uses": 1}, status=201)
    assert invite["url"] == f"{anna.url}/invite/{invite['code']}"
    accepted = await boris.post(f"/invites/{invite['code']}/accept")
    assert (accepted["id"], accepted["role"]) == (room, "member")
    refusal = await vera.post(f"/invites/{invite['code']}/accept", status=404)
    assert refusal["code"] == "INVITE_INVALID"
    assert (await anna.get(f"/rooms/{room}/invites"))["items"] == []
    async with boris.in_room(room):
        done = await anna.post(f"/rooms/{room}/participants/{boris.id}/ban", {"seconds": 60})
        await boris.closed.wait()
        assert (boris.close_code, done["seq"]) == (4003, 1)
    (ban,) = (await anna.get(f"/rooms/{room}/bans"))["items"]
    assert (ban["user_id"], ban["display_name"], ban["by"]) == (boris.id, "Boris", anna.id)
    assert (await boris.post(f"/rooms/{room}/join", status=404))["code"] == "ROOM_NOT_FOUND"
    another = await anna.post(f"/rooms/{room}/invites", status=201)
    assert (await boris.post(f"/invites/{another['code']}/accept", status=403))["code"] == "BANNED"
