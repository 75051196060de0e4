"""A participant's calls to the worker: however many they ask for, a mute and a kick are told."""

import asyncio
from typing import Any

import pytest
import structlog

from rooms.lanes import Lanes
from rooms.media_client import Worker
from tests.rooms import kit
from tests.rooms.test_signalling import offer

MUTES = 48  # of one connection: with an offer as many as it may send at once


async def held(rooms: kit.Rooms) -> tuple[str, list[kit.Socket]]:
    """Ann, and three tabs of Bob's, by the first of which he waits for an answer that the worker owes him."""
    room_id = await rooms.create()
    ann, *tabs = await rooms.enter(room_id, 1, 2)
    tabs += [await rooms.connect(room_id, 2) for _ in range(2)]
    await offer(tabs[0])
    rooms.media.answering.clear()
    await tabs[0].send("offer", {"sdp": "v=1"})
    while await rooms.media.called() != ("negotiate", "2", "v=1", False):
        pass
    return room_id, [ann, *tabs]


async def flood(*sockets: kit.Socket) -> None:
    """Mute and unmute, until all of it was heard."""
    for socket in sockets:
        for count in range(MUTES):
            await socket.send("mute", {"muted": count % 2 == 0})
        await socket.send("ping")
        await socket.until("pong")


async def calls_until(media: kit.Media, kind: str) -> list[tuple[Any, ...]]:
    calls = [await media.called()]
    while calls[-1][0] != kind:
        calls.append(await media.called())
    return calls


async def test_who_floods_the_worker_is_kicked_all_the_same(rooms: kit.Rooms) -> None:
    _, (ann, first, second, _) = await held(rooms)
    await flood(first, second)
    await ann.send("moderate", {"action": "kick", "user_id": "2"})
    await ann.until("ack")
    rooms.media.answering.set()
    assert (await calls_until(rooms.media, "close"))[-1] == ("close", "2")


async def test_the_last_mute_of_a_flood_is_the_one_that_is_told(rooms: kit.Rooms) -> None:
    _, (_, first, second, third) = await held(rooms)
    await flood(first, second)
    await third.send("mute", {"muted": True})
    await third.send("offer", {"sdp": "v=2"})
    await third.send("ping")
    await third.until("pong")
    rooms.media.answering.set()
    calls = await calls_until(rooms.media, "negotiate")
    assert calls[-2:] == [("set_muted", "2", True), ("negotiate", "2", "v=2", True)]


async def test_what_was_wanted_before_a_close_is_not_told_after_it(rooms: kit.Rooms) -> None:
    room_id, (_, first, *_) = await held(rooms)
    await first.send("mute", {"muted": True})
    await first.until("participant_updated")
    await rooms.leave(room_id, 2)
    await rooms.join(room_id, 2)
    again = await rooms.connect(room_id, 2)
    await again.send("offer", {"sdp": "v=2"})
    await again.send("ping")
    await again.until("pong")
    rooms.media.answering.set()
    calls = await calls_until(rooms.media, "negotiate")
    assert calls[-2:] == [("close", "2"), ("negotiate", "2", "v=2", False)]


@pytest.mark.parametrize(
    ("method", "frame", "payload"),
    [("negotiate", "offer", {"sdp": "v=0"}), ("attach", "voice_attach", {"voice_id": "voice-0"})],
)
async def test_a_fault_of_ours_is_an_answer_and_a_line_in_the_log(
    rooms: kit.Rooms, monkeypatch: pytest.MonkeyPatch, method: str, frame: str, payload: dict[str, str]
) -> None:
    async def broken(*_: object) -> None:
        raise ValueError("a fault of ours")

    (ann,) = await rooms.enter(await rooms.create(), 1)
    with structlog.testing.capture_logs() as lines, monkeypatch.context() as patched:
        patched.setattr(Worker, method, broken)
        await ann.send(frame, payload, id="7")
        problem = await ann.payload("error")
        assert (problem["code"], problem["ref_id"], problem["retryable"]) == ("INTERNAL", "7", False)
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["unexpected error"]
    assert (await offer(ann))["type"] == "answer"  # and not NEGOTIATION_PENDING for ever


async def test_a_fault_that_nobody_waits_for_is_a_line_in_the_log() -> None:
    lanes, hold = Lanes(), asyncio.Event()

    async def broken() -> None:
        await hold.wait()
        raise ValueError("a fault of ours")

    with structlog.testing.capture_logs() as lines:
        assert lanes.start("started", broken)
        gives_up = asyncio.create_task(lanes.run("run", broken))
        await asyncio.sleep(0)  # until it waits
        gives_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gives_up
        hold.set()
        await lanes.drain()
        await asyncio.sleep(0)  # the callbacks of what is done
    assert [line["event"] for line in lines] == ["unexpected error", "unexpected error"]
