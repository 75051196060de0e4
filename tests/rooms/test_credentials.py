"""Credentials: who may open a websocket, how it is refused, and how a token is renewed."""

import asyncio
from typing import Any

import aiohttp
import pytest

from rooms.websocket.connection import Timing
from tests.rooms import kit

PAGE = {"Origin": "http://localhost:8080"}
NOWHERE = "0198f000-0000-7000-8000-000000000000"


async def refused(rooms: kit.Rooms, url: str) -> tuple[int, dict[str, Any]]:
    """What a program gets: a status and a problem."""
    async with rooms.http.get(
        url.replace("ws://", "http://"),
        headers={
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
    ) as answer:
        assert answer.content_type == "application/problem+json"
        return answer.status, await answer.json()


async def closed(rooms: kit.Rooms, url: str, **options: Any) -> tuple[int | None, str]:
    """What a page gets: a close code and a reason."""
    return await (await rooms.dial(url, headers=PAGE, **options)).closed()


async def test_a_program_is_refused_with_a_status_and_a_page_with_a_close_code(rooms: kit.Rooms) -> None:
    room_id = await rooms.create(max=1)
    await rooms.join(room_id, 1)
    ann = kit.token(1)
    for url, status, code, close in (
        (rooms.url(room_id, access_token="nonsense"), 401, "TOKEN_INVALID", 4001),
        (rooms.url(room_id, access_token=kit.token(1, lives=-60)), 401, "TOKEN_EXPIRED", 4001),
        (rooms.url(room_id, access_token=ann, user_id=2), 403, "USER_ID_MISMATCH", 4003),
        (rooms.url(room_id, access_token=kit.token(2)), 403, "NOT_A_MEMBER", 4003),
        (rooms.url(NOWHERE, access_token=ann), 404, "ROOM_NOT_FOUND", 4004),
        (rooms.url("nonsense", access_token=ann), 404, "ROOM_NOT_FOUND", 4004),
        (rooms.url(room_id, access_token=ann, last_seq="x"), 422, "INVALID_FIELDS", 4000),
    ):
        got, problem = await refused(rooms, url)
        assert (got, problem["code"], problem["status"]) == (status, code, status)
        assert problem["error"]["message"] == problem["detail"]
        assert await closed(rooms, url) == (close, code)


async def test_no_seat_left_for_a_member_who_comes_back(rooms: kit.Rooms) -> None:
    room_id = await rooms.create(max=1)
    await rooms.join(room_id, 2)  # the owner is a member, and has no seat
    url = rooms.url(room_id, access_token=kit.token(1))
    assert (await refused(rooms, url))[0] == 409
    assert await closed(rooms, url) == (4003, "ROOM_FULL")


async def test_only_our_pages_may_connect(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    url = rooms.url(room_id, access_token=kit.token(1))
    ours = await rooms.dial(url, headers=PAGE)
    await ours.until("state")
    for origin in ("http://evil.example", "null", "http://localhost:8080.evil.example"):
        theirs = await rooms.dial(url, headers={"Origin": origin})
        assert await theirs.closed() == (4003, "ORIGIN_NOT_ALLOWED")


async def test_a_page_shows_its_token_in_the_first_frame(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    socket = await rooms.dial(rooms.url(room_id), headers=PAGE)
    await socket.send("auth", {"access_token": kit.token(1)})
    assert (await socket.next())["type"] == "hello"
    assert (await socket.next())["type"] == "state"


async def test_a_program_may_use_the_header(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    socket = await rooms.dial(rooms.url(room_id), headers={"Authorization": f"Bearer {kit.token(1)}"})
    assert (await socket.next())["type"] == "hello"


@pytest.mark.parametrize(
    ("frame", "closes"),
    [
        ('{"type":"chat","payload":{"message":"hi"}}', (4001, "TOKEN_MISSING")),
        ('{"type":"auth","payload":{"access_token":"nonsense"}}', (4001, "TOKEN_INVALID")),
        ('{"type":"auth","payload":{}}', (4000, "INVALID_FIELDS")),
        ("nonsense", (4000, "BAD_FRAME")),
    ],
)
async def test_another_first_frame_is_refused(rooms: kit.Rooms, frame: str, closes: tuple[int, str]) -> None:
    socket = await rooms.dial(rooms.url(await rooms.create()))
    await socket.ws.send_str(frame)
    assert await socket.closed() == closes


async def test_a_first_frame_that_never_comes(stack: kit.Stack) -> None:
    rooms = await stack.start(timing=Timing(auth=0.05))
    socket = await rooms.dial(rooms.url(await rooms.create()))
    assert await socket.closed() == (4001, "TOKEN_MISSING")


async def test_a_token_that_ends_closes_the_connection(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    socket = await rooms.dial(rooms.url(room_id, access_token=kit.token(1, lives=0.3)))
    assert await socket.closed() == (4201, "TOKEN_EXPIRED")
    assert [frame["type"] for frame in socket.seen] == ["hello", "state"]


async def test_a_newer_token_keeps_it_open(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    socket = await rooms.dial(rooms.url(room_id, access_token=kit.token(1, lives=1)))
    await socket.send("auth", {"access_token": kit.token(1, lives=2)}, id="5")
    renewed = await socket.until("auth_ok")
    assert renewed["id"] == "5"
    ends = asyncio.get_running_loop().time() + 1
    assert await socket.closed() == (4201, "TOKEN_EXPIRED")
    assert asyncio.get_running_loop().time() > ends


async def test_somebody_elses_token_renews_nothing(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    for bad, code in ((kit.token(2), "USER_ID_MISMATCH"), ("nonsense", "TOKEN_INVALID")):
        await ann.send("auth", {"access_token": bad})
        assert (await ann.payload("error"))["code"] == code


async def test_tabs_of_one_person_are_counted(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    for _ in range(8):
        await rooms.connect(room_id, 1)
    socket = await rooms.dial(rooms.url(room_id, access_token=kit.token(1)))
    assert await socket.closed() == (4102, "TOO_MANY_CONNECTIONS")


async def test_what_is_no_websocket_is_told_so(rooms: kit.Rooms) -> None:
    base = f"http://127.0.0.1:{rooms.ports.websocket}"
    async with rooms.http.get(f"{base}/ws/rooms/{NOWHERE}") as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, "NOT_A_WEBSOCKET")
    async with rooms.http.get(f"{base}/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok", "redis": "none"})


async def test_no_token_and_no_query_is_in_the_log(
    rooms: kit.Rooms, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    room_id = await rooms.create()
    ann = await rooms.connect(room_id, 1)
    await ann.send("offer", {"sdp": "v=0 very secret"})
    await ann.until("answer", "error")  # whether or not the worker is there already
    await ann.ws.close()
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await rooms.dial(rooms.url(room_id, access_token="nonsense"))
    logged = "".join(capsys.readouterr()) + caplog.text
    assert "connection opened" in logged
    for secret in ("access_token", "eyJ", "nonsense", "very secret"):
        assert secret not in logged
