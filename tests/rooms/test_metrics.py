"""The figures of rooms: websockets and their ends, what was said and saved, who came back, the workers."""

from collections.abc import AsyncIterator

import pytest

from dev.ports import free_port
from tests import figures
from tests.rooms import kit
from tests.rooms.raw import Raw, close

SECRET = "a-private-thing"


@pytest.fixture
async def page(database_url: str, redis_url: str) -> AsyncIterator[tuple[kit.Rooms, figures.Page]]:
    listen = f"127.0.0.1:{free_port()}"
    async with kit.neighbours(database_url, redis_url) as stack, figures.page(listen) as page:
        yield await stack.start(metrics_listen=listen), page


async def test_what_was_said_and_saved_and_who_came_back(page: tuple[kit.Rooms, figures.Page]) -> None:
    rooms, read = page
    room_id = await rooms.create()
    ann, ben = await rooms.enter(room_id, 1, 2)
    hello = next(each for each in ann.seen if each["type"] == "hello")["payload"]
    for count in range(3):
        await ann.send("chat", {"message": SECRET, "client_msg_id": f"{count}"})
        await ben.until("chat")
    await ann.send("offer", {"sdp": "…"})
    await ann.until("answer")
    await ann.send("nonsense", wrong=True)
    await ann.until("error")
    await ben.ws.close()
    back = await rooms.connect(room_id, 2, epoch=hello["epoch"], last_seq=hello["last_seq"])
    await back.until("resumed")

    found = await read.until(lambda found: found("cwrk_rooms_websockets_closed_total", code="1000") == 1)
    assert found("cwrk_rooms_websockets") == 2
    assert found("cwrk_rooms_open") == 1
    assert found("cwrk_rooms_websockets_attached_total") == 3
    assert found("cwrk_rooms_frames_received_total", type="chat") == 3
    assert found("cwrk_rooms_frames_sent_total", type="chat_ack") == 3
    assert found("cwrk_rooms_frames_delivered_total") >= 3 * 2
    assert found("cwrk_rooms_drafts_total", outcome="saved") == 3
    assert found("cwrk_rooms_batch_drafts_sum") == 3
    assert found("cwrk_rooms_commit_seconds_count") == found("cwrk_rooms_batch_drafts_count") > 0
    assert found("cwrk_rooms_resumes_total", outcome="recovered") == 1
    assert (
        sum(
            found("cwrk_rooms_errors_total", code=code)
            for code in found.values_of("cwrk_rooms_errors_total", "code")
        )
        == 1
    )
    assert found("cwrk_grpc_calls_total", method="JoinRoom", code="OK") == 2
    assert found("cwrk_rooms_placements_total") == found("cwrk_rooms_placements_known") == 1
    assert found("cwrk_rooms_media_up", worker=rooms.config.media_addr[0]) == 1
    await read.until(lambda found: found("cwrk_redis_up") == 1)
    for pool in ("tables", "looks", "logs"):
        assert found("cwrk_database_connections_max", pool=pool) > 0
    written = {value for _, labels in found.samples for _, value in labels}
    assert not any(SECRET in value or room_id in value or "Person" in value for value in written)


async def test_a_code_that_somebody_made_up_has_no_figure_of_its_own(
    page: tuple[kit.Rooms, figures.Page],
) -> None:
    rooms, read = page
    room_id = await rooms.create()
    await rooms.join(room_id, 98)
    odd = await Raw.open(rooms, room_id, 98)
    odd.writer.write(close(4999, SECRET.encode()))
    await odd.rest()
    await odd.hang_up()
    found = await read.until(lambda found: found("cwrk_rooms_websockets_closed_total", code="other") == 1)
    assert found.values_of("cwrk_rooms_websockets_closed_total", "code") == {"4101", "other"}
