"""What a websocket may carry, and how often."""

import asyncio
import os
import struct

from rooms.websocket.connection import Timing
from tests.rooms import kit


async def test_bad_frames_get_an_error_and_the_connection_stays(rooms: kit.Rooms) -> None:
    (ann,) = await rooms.enter(await rooms.create(), 1)
    for text, code in (
        ("{", "BAD_FRAME"),
        ('{"type":"dance","id":"3"}', "UNKNOWN_TYPE"),
        ('{"type":"chat","payload":{"message":""}}', "INVALID_FIELDS"),
    ):
        await ann.ws.send_str(text)
        assert (await ann.payload("error"))["code"] == code
    await ann.send("ping", {"last_seq": 0}, id="1")
    pong = await ann.until("pong")
    assert (pong["id"], pong["payload"]) == ("1", {"last_seq": 0})


async def test_binary_is_refused(rooms: kit.Rooms) -> None:
    (ann,) = await rooms.enter(await rooms.create(), 1)
    await ann.ws.send_bytes(b"{}")
    assert await ann.closed() == (1003, "TEXT_ONLY")


async def test_64_kib_and_no_more(rooms: kit.Rooms) -> None:
    (ann,) = await rooms.enter(await rooms.create(), 1)
    frame = '{"type":"ping","payload":{"pad":"%s"}}'
    await ann.ws.send_str(frame % ("x" * (65_000 - len(frame))))
    await ann.until("pong")
    await ann.ws.send_str(frame % ("x" * 66_000))
    assert (await ann.closed())[0] == 1009


async def test_text_that_is_not_utf_8_is_refused(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    reader, writer = await asyncio.open_connection("127.0.0.1", rooms.ports.websocket)
    writer.write(
        f"GET /ws/rooms/{room_id}?access_token={kit.token(1)} HTTP/1.1\r\nHost: here\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await reader.readuntil(b'"participants"')
    mask, payload = os.urandom(4), b"\xff\xfe"
    writer.write(b"\x81\x82" + mask + bytes(a ^ b for a, b in zip(payload, mask, strict=False)))
    rest = await asyncio.wait_for(reader.read(), kit.PATIENCE)
    assert struct.pack(">H", 1007) in rest
    writer.close()


async def test_chat_past_the_burst_says_when_to_come_back(rooms: kit.Rooms) -> None:
    (ann,) = await rooms.enter(await rooms.create(), 1)
    for count in range(11):
        await ann.send("chat", {"message": "quick", "client_msg_id": str(count)})
    problem = await ann.payload("error")
    assert (problem["code"], problem["ref_id"], problem["retryable"]) == ("RATE_LIMITED", "10", True)
    assert 0 < problem["retry_after_ms"] <= 200


async def test_a_flood_is_answered_within_limits(rooms: kit.Rooms) -> None:
    (ann,) = await rooms.enter(await rooms.create(), 1)
    for _ in range(150):
        await ann.send("ping")
    kinds = [(await ann.next())["type"] for _ in range(150)]
    assert 100 <= kinds.count("pong") <= 130
    assert kinds.count("error") == 150 - kinds.count("pong")


async def test_who_says_nothing_is_dropped(stack: kit.Stack) -> None:
    """Not even a pong; who answers stays (tests/rooms/test_connection.py, with times of its own)."""
    rooms = await stack.start(timing=Timing(ping=0.1, silence=0.35))
    room_id = await rooms.create()
    silent = await rooms.dial(rooms.url(room_id, access_token=kit.token(1)), autoping=False)
    assert await silent.closed() == (4202, "NO_PONG")
