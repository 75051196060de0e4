"""Resuming: what was said while somebody was away, once, in order, before anything live."""

import asyncio
from typing import Any

from rooms.core.feed import FARTHEST_REPLAY, REPLAY_PAGE
from tests.rooms import kit


async def say(socket: kit.Socket, count: int) -> None:
    """Say "1" … and wait for the acks, as fast as the limits let."""
    for number in range(count):
        while True:
            await socket.send("chat", {"message": f"{number}", "client_msg_id": f"{number}"})
            answer = await socket.until("chat_ack", "error")
            if answer["type"] == "chat_ack":
                break
            await asyncio.sleep(answer["payload"]["retry_after_ms"] / 1000)


def seqs(frames: list[dict[str, Any]]) -> list[int]:
    return [frame["seq"] for frame in frames if frame["type"] == "chat"]


async def test_in_the_first_frame_and_in_the_url_and_in_a_frame(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    epoch = bob.seen[0]["payload"]["epoch"]
    await bob.ws.close()
    await say(ann, 8)

    first = await rooms.dial(rooms.url(room_id))
    await first.send("auth", {"access_token": kit.token(2), "resume": {"epoch": epoch, "last_seq": 3}})
    in_url = await rooms.connect(room_id, 2, epoch=epoch, last_seq=3)
    in_frame = await rooms.connect(room_id, 2)
    await in_frame.send("resume", {"epoch": epoch, "last_seq": 3}, id="r")

    for socket in (first, in_url, in_frame):
        resumed = await socket.payload("resumed")
        assert resumed == {"recovered": True, "from_seq": 3, "to_seq": 8}
        assert seqs(socket.seen) == [4, 5, 6, 7, 8]
    await ann.send("chat", {"message": "live"})
    for socket in (first, in_url, in_frame):
        assert (await socket.until("chat"))["seq"] == 9


async def test_another_history_is_not_recovered(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    await say(ann, 1)
    again = await rooms.connect(room_id, 1, epoch="another", last_seq=0)
    assert await again.payload("resumed") == {"recovered": False, "from_seq": 0, "to_seq": 1}
    assert seqs(again.seen) == []


async def test_a_long_replay_comes_in_pages_with_the_live_events_behind_it(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    epoch = bob.seen[0]["payload"]["epoch"]
    await fill(rooms, room_id, 3 * REPLAY_PAGE + 7)
    away = await rooms.dial(rooms.url(room_id))
    await ann.send("chat", {"message": "wakes the feed"})
    await ann.until("chat_ack")
    await away.send("auth", {"access_token": kit.token(2), "resume": {"epoch": epoch, "last_seq": 0}})
    await ann.send("chat", {"message": "meanwhile"})
    await away.until("resumed")
    total = 3 * REPLAY_PAGE + 9
    while seqs(away.seen)[-1:] != [total]:
        await away.until("chat")
    assert seqs(away.seen) == list(range(1, total + 1))


async def test_who_is_too_far_behind_is_told_to_read_the_history(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    await rooms.join(room_id, 1)
    await fill(rooms, room_id, FARTHEST_REPLAY + 1)
    hello = (await rooms.connect(room_id, 1)).seen[0]["payload"]
    again = await rooms.connect(room_id, 1, epoch=hello["epoch"], last_seq=0)
    assert (await again.payload("resumed"))["recovered"] is False


async def fill(rooms: kit.Rooms, room_id: str, count: int) -> None:
    """Messages straight into the log."""
    await rooms.execute(
        "WITH head AS (UPDATE rooms.heads SET last_seq = $2 WHERE room_id = $1)"
        " INSERT INTO rooms.events (room_id, seq, user_id, text)"
        " SELECT $1, n, 1, n::text FROM generate_series(1, $2::bigint) n",
        room_id,
        count,
    )
