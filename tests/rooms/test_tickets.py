"""Tickets: each opens one websocket, once, as the token would that it was made with."""

import aiohttp
import pytest

from common.errors import Forbidden, NotFound
from proto import rooms_pb2 as pb
from rooms.tables.tickets import MOST_OPEN
from tests.rooms import kit


async def ticket(rooms: kit.Rooms, room_id: str, user_id: int = 1, token: str = "") -> str:
    answer = await rooms.client.call(
        rooms.stub.CreateTicket,
        pb.CreateTicketRequest(room_id=room_id),
        user_token=token or kit.token(user_id),
    )
    return str(answer.ticket)


async def refused(rooms: kit.Rooms, room_id: str, text: str, **query: object) -> tuple[int | None, str]:
    """How a page is turned away."""
    page = await rooms.dial(
        rooms.url(room_id, ticket=text, **query), headers={"Origin": "http://localhost:8080"}
    )
    return await page.closed()


async def test_it_opens_one_websocket_once(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    text = await ticket(rooms, room_id)
    ann = await rooms.dial(rooms.url(room_id, ticket=text), headers={"Origin": "http://localhost:8080"})
    assert [p["user_id"] for p in (await ann.payload("state"))["participants"]] == ["1"]
    assert await refused(rooms, room_id, text) == (4001, "TICKET_INVALID")
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await rooms.dial(rooms.url(room_id, ticket=text))
    assert caught.value.status == 401


async def test_it_is_of_one_room_and_one_person_and_ends_soon(rooms: kit.Rooms) -> None:
    room_id, other = await rooms.create(), await rooms.create()
    text = await ticket(rooms, room_id)
    assert await refused(rooms, other, text) == (4001, "TICKET_INVALID")
    assert await refused(rooms, room_id, text, user_id=2) == (4003, "USER_ID_MISMATCH")
    for nonsense in ("", "nonsense", "a" * 1000):
        assert await refused(rooms, room_id, nonsense) == (4001, "TICKET_INVALID")
    text = await ticket(rooms, room_id)
    await rooms.execute("UPDATE rooms.tickets SET good_until = now()")
    assert await refused(rooms, room_id, text) == (4001, "TICKET_INVALID")


async def test_the_websocket_ends_with_the_token(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    token = kit.token(1, lives=2)
    text = await ticket(rooms, room_id, token=token)
    ann = await rooms.dial(rooms.url(room_id, ticket=text))
    assert await ann.closed() == (4201, "TOKEN_EXPIRED")


async def test_with_the_session_ends_the_ticket_and_the_websocket(stack: kit.Stack, rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann = await rooms.dial(rooms.url(room_id, ticket=await ticket(rooms, room_id)))
    await ann.until("state")
    late = await ticket(rooms, room_id)
    await stack.auth.revoke(session_id="session-1")
    assert await ann.closed() == (4001, "SESSION_ENDED")
    assert await refused(rooms, room_id, late) == (4001, "SESSION_ENDED")


async def test_members_get_them_and_ten_are_open_at_most(rooms: kit.Rooms) -> None:
    room_id, private = await rooms.create(), await rooms.create(visibility="private")
    with pytest.raises(Forbidden) as caught:
        await ticket(rooms, room_id, user_id=2)
    assert caught.value.code == "NOT_A_MEMBER"
    with pytest.raises(NotFound):
        await ticket(rooms, private, user_id=2)
    texts = [await ticket(rooms, room_id) for _ in range(MOST_OPEN + 1)]
    assert await refused(rooms, room_id, texts[0]) == (4001, "TICKET_INVALID")
    oldest = await rooms.dial(rooms.url(room_id, ticket=texts[1]))
    await oldest.until("state")


async def test_only_the_hash_is_kept_and_old_ones_are_swept(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    await rooms.join(room_id, 2)
    text = await ticket(rooms, room_id)
    await rooms.execute("UPDATE rooms.tickets SET good_until = now()")
    await ticket(rooms, room_id, user_id=2)
    rows = await rooms.fetch("SELECT user_id, tickets::text AS all_of_it FROM rooms.tickets")
    assert [row["user_id"] for row in rows] == [2]
    assert text not in rows[0]["all_of_it"]
