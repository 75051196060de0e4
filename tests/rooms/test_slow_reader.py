"""A reader that does not read is closed before it holds much, and hurts nobody."""

import asyncio
import select
import socket as sockets

from tests.rooms import kit

TALKERS, ROUNDS = 12, 10
MESSAGE = "📚" * 4000  # 16 KB


async def test_a_frozen_reader_is_cut_off_and_the_others_get_everything(rooms: kit.Rooms) -> None:
    room_id = await rooms.create(max=50)
    people = await rooms.enter(room_id, *range(1, TALKERS + 1))
    await rooms.join(room_id, 99)
    with sockets.socket() as frozen:
        frozen.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        frozen.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(frozen, ("127.0.0.1", rooms.ports.websocket))
        await loop.sock_sendall(
            frozen,
            f"GET /ws/rooms/{room_id}?access_token={kit.token(99)} HTTP/1.1\r\nHost: here\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode(),
        )
        await people[0].until("peer_joined")

        seqs = []
        for _ in range(ROUNDS):
            for socket in people:
                await socket.send("chat", {"message": MESSAGE})
            heard = [[await socket.until("chat") for _ in people] for socket in people]
            seqs.append([[frame["seq"] for frame in frames] for frames in heard])
        for count, per_person in enumerate(seqs):
            expected = list(range(count * TALKERS + 1, (count + 1) * TALKERS + 1))
            assert per_person == [expected] * TALKERS

        cut_off = select.poll()
        cut_off.register(frozen, select.POLLHUP | select.POLLERR)
        assert await asyncio.to_thread(cut_off.poll, kit.PATIENCE * 1000)
