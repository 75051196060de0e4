"""A reader that does not read is closed before it holds much, and hurts nobody."""

import asyncio

from dev.ports import free_port
from tests import figures
from tests.rooms import kit
from tests.rooms.raw import Raw

READERS, TALKERS, ROUNDS = 49, 12, 8
MESSAGE = "📚" * 4000  # 16 KB


async def test_one_frozen_reader_among_fifty_is_cut_off_and_the_others_get_everything(
    stack: kit.Stack,
) -> None:
    listen = f"127.0.0.1:{free_port()}"
    rooms = await stack.start(metrics_listen=listen)
    room_id = await rooms.create(max=50)
    people = await rooms.enter(room_id, *range(1, READERS + 1))
    await rooms.join(room_id, 99)
    frozen = await Raw.open(rooms, room_id, 99, receive_buffer=4096)
    frozen.freeze()

    for count in range(ROUNDS):
        for person in people[:TALKERS]:
            await person.send("chat", {"message": MESSAGE})
        expected = [count * TALKERS + place for place in range(1, TALKERS + 1)]
        for person in people:
            assert [(await person.until("chat"))["seq"] for _ in range(TALKERS)] == expected
    await asyncio.to_thread(frozen.wait_until_cut_off)
    async with figures.page(listen) as page:
        found = await page.until(lambda found: found("cwrk_rooms_websockets_closed_total", code="4101") == 1)
    assert found("cwrk_rooms_frames_delivered_total") >= READERS * TALKERS * ROUNDS
    await frozen.hang_up()
