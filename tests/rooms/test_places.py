"""How many websockets an address and a person may have, and rooms and invites there may be."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from common.errors import Conflict
from proto import rooms_pb2 as pb
from rooms.config import Config
from rooms.websocket.places import Places
from tests.rooms import kit

TRUSTED = Config.__dataclass_fields__["trusted_proxies"].metadata["parse"]("127.0.0.1")


async def refused(rooms: kit.Rooms, url: str, **options: Any) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await rooms.dial(url, **options)
    return caught.value.status


async def test_websockets_of_an_address_are_so_many_also_before_they_say_who_they_are(
    stack: kit.Stack,
) -> None:
    """Behind a proxy that is trusted it is the one that it names."""
    rooms = await stack.start(address_websockets=2, trusted_proxies=TRUSTED)
    room_id = await rooms.create()
    nobody, here = rooms.url(room_id), {"X-Forwarded-For": "192.0.2.1"}
    first, second = await rooms.dial(nobody, headers=here), await rooms.dial(nobody, headers=here)
    assert await refused(rooms, nobody, headers=here) == 429
    page = {**here, "Origin": "http://localhost:8080"}
    assert await refused(rooms, rooms.url(room_id, access_token=kit.token(1)), headers=page) == 429
    elsewhere = {"X-Forwarded-For": "192.0.2.2"}
    await rooms.dial(rooms.url(room_id, access_token=kit.token(1)), headers=elsewhere)
    for gone in (first, second):
        await gone.ws.close()
    again = await rooms.dial(rooms.url(room_id, access_token=kit.token(1)), headers=here)
    await again.until("state")


async def test_a_refused_token_takes_no_place(stack: kit.Stack) -> None:
    rooms = await stack.start(address_websockets=1)
    room_id = await rooms.create()
    for _ in range(3):
        assert await refused(rooms, rooms.url(room_id, access_token="none")) == 401
    await rooms.connect(room_id, 1)


async def test_websockets_of_a_person_are_so_many_in_all_rooms(stack: kit.Stack) -> None:
    rooms = await stack.start(person_websockets=2)
    algebra, thesis = await rooms.create(), await rooms.create()
    await rooms.join(algebra, 2)
    one = await rooms.connect(algebra, 1)
    await rooms.connect(thesis, 1)
    late = await rooms.dial(rooms.url(algebra, access_token=kit.token(1)))
    assert await late.closed() == (4102, "TOO_MANY_CONNECTIONS")
    await rooms.connect(algebra, 2)
    await one.ws.close()
    await rooms.connect(algebra, 1)


def test_who_has_none_is_not_remembered() -> None:
    places = Places(1, "person")
    for who in ("ann", "bob"):
        places.take(who)
        places.give_back(who)
    assert not places._taken


async def test_rooms_of_a_person_are_so_many(stack: kit.Stack) -> None:
    rooms = await stack.start(person_rooms=2)
    kept, gone = await rooms.create(1), await rooms.create(1)
    with pytest.raises(Conflict) as caught:
        await rooms.create(1)
    assert caught.value.code == "TOO_MANY_ROOMS"
    await rooms.create(2)
    await rooms.call("DeleteRoom", pb.DeleteRoomRequest(room_id=gone), 1)
    assert await rooms.create(1) != kept


async def test_open_invites_of_a_room_are_so_many(rooms: kit.Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rooms.tables.invites.MOST_OPEN", 2)
    room_id = await rooms.create(1)
    asked = pb.CreateInviteRequest(room_id=room_id, expires_in=600)
    made = [await rooms.call("CreateInvite", asked, 1) for _ in range(2)]
    with pytest.raises(Conflict) as caught:
        await rooms.call("CreateInvite", asked, 1)
    assert caught.value.code == "TOO_MANY_INVITES"
    await rooms.call("RevokeInvite", pb.RevokeInviteRequest(room_id=room_id, code=made[0].code), 1)
    await rooms.call("CreateInvite", asked, 1)
