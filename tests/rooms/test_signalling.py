"""Voice signalling: between the websocket and a worker, which is a real gRPC server here."""

import asyncio
from typing import Any

import pytest

from proto import media_pb2
from tests.rooms import kit

SLOT = [media_pb2.Slot(mid="1", user_id="7"), media_pb2.Slot(mid="2", user_id="")]
SLOT_ON_THE_WIRE = [{"mid": "1", "user_id": "7"}, {"mid": "2", "user_id": None}]


@pytest.fixture
async def room_id(rooms: kit.Rooms) -> str:
    """A room, with a worker that has answered."""
    room_id = await rooms.create()
    (someone,) = await rooms.enter(room_id, 9)
    await offer(someone)
    await rooms.leave(room_id, 9)
    while await rooms.media.called() != ("close", "9"):
        pass
    rooms.media.voices.clear()
    return room_id


def slots_changed(room_id: str, voice_id: str) -> media_pb2.Event:
    changed = media_pb2.SlotsChanged(room_id=room_id, user_id="1", voice_id=voice_id, slots=SLOT)
    return media_pb2.Event(slots=changed)


async def offer(socket: kit.Socket, **top: Any) -> dict[str, Any]:
    """The answer to an offer; repeated as a page would, where the worker is not there yet."""
    while True:
        await socket.send("offer", {"sdp": "v=0"}, **top)
        answer = await socket.until("answer", "error")
        if answer["type"] == "answer":
            return answer
        assert answer["payload"]["code"] == "MEDIA_UNAVAILABLE"
        await asyncio.sleep(answer["payload"]["retry_after_ms"] / 1000)


async def test_an_offer_is_answered(rooms: kit.Rooms, room_id: str) -> None:
    (ann,) = await rooms.enter(room_id, 1)
    await ann.send("ice", {"candidate": "accepted, changes nothing"})
    answer = await offer(ann, id="9")
    assert answer["id"] == "9"
    assert answer["payload"] == {
        "sdp": "answer",
        "voice_id": "voice-0",
        "slots": [{"mid": "1", "user_id": None}, {"mid": "2", "user_id": "7"}],
    }
    assert await rooms.media.called() == ("negotiate", "1", "v=0", False)


async def test_slots_go_to_their_listener_and_speakers_to_everybody(rooms: kit.Rooms, room_id: str) -> None:
    ann, bob = await rooms.enter(room_id, 1, 2)
    await offer(ann)
    rooms.media.say(slots_changed(room_id, "voice-0"))
    speakers = media_pb2.SpeakersChanged(room_id=room_id, speakers=[media_pb2.Speaker(user_id="1", level=90)])
    rooms.media.say(media_pb2.Event(speakers=speakers))
    for socket in (ann, bob):
        assert await socket.payload("speakers") == {"speakers": [{"user_id": "1", "level": 90}]}
    slots = {"voice_id": "voice-0", "slots": SLOT_ON_THE_WIRE}
    assert [f["payload"] for f in ann.seen if f["type"] == "slots"] == [slots]
    assert not [f for f in bob.seen if f["type"] == "slots"]


async def test_quality_goes_to_its_own_participant_where_the_voice_is(rooms: kit.Rooms, room_id: str) -> None:
    ann, bob = await rooms.enter(room_id, 1, 2)
    other_tab = await rooms.connect(room_id, 1)
    await offer(ann)
    score = {"loss": 0.0312345, "jitter_ms": 4.6, "mos": 4.098765}
    for known in ({"round_trip_ms": 41.7}, {}):
        quality = media_pb2.Quality(room_id=room_id, user_id="1", voice_id="voice-0", **score, **known)
        rooms.media.say(media_pb2.Event(quality=quality))
    told = {"loss": 0.031, "jitter_ms": 5, "mos": 4.1}
    assert await ann.payload("quality") == {"rtt_ms": 42, **told}
    assert await ann.payload("quality") == {"rtt_ms": None, **told}
    rooms.media.say(media_pb2.Event(speakers=media_pb2.SpeakersChanged(room_id=room_id)))
    for socket in (bob, other_tab):
        await socket.until("speakers")
        assert not [f for f in socket.seen if f["type"] == "quality"]


async def test_quality_of_a_voice_that_nobody_here_has_is_let_go(rooms: kit.Rooms, room_id: str) -> None:
    (ann,) = await rooms.enter(room_id, 1)
    await offer(ann)
    for user_id, voice_id in (("1", "voice-of-another-replica"), ("2", "voice-9")):
        quality = media_pb2.Quality(room_id=room_id, user_id=user_id, voice_id=voice_id, mos=4.4)
        rooms.media.say(media_pb2.Event(quality=quality))
    rooms.media.say(media_pb2.Event(speakers=media_pb2.SpeakersChanged(room_id=room_id)))
    await ann.until("speakers")
    assert not [f for f in ann.seen if f["type"] == "quality"]


async def test_an_event_that_overtakes_the_answer_follows_it(rooms: kit.Rooms, room_id: str) -> None:
    (ann,) = await rooms.enter(room_id, 1)
    rooms.media.answering.clear()
    await ann.send("offer", {"sdp": "v=0"})
    await rooms.media.called()
    rooms.media.say(slots_changed(room_id, "voice-0"))
    speakers = media_pb2.SpeakersChanged(room_id=room_id)
    rooms.media.say(media_pb2.Event(speakers=speakers))
    await ann.until("speakers")  # so the slots have come before
    rooms.media.answering.set()
    await ann.until("answer")
    assert (await ann.payload("slots"))["slots"] == SLOT_ON_THE_WIRE


async def test_a_mute_reaches_the_worker_and_goes_with_the_next_offer(rooms: kit.Rooms, room_id: str) -> None:
    (ann,) = await rooms.enter(room_id, 1)
    await offer(ann)
    for muted in (True, False, True):
        await ann.send("mute", {"muted": muted})
    await ann.send("offer", {"sdp": "v=1"})
    assert await rooms.media.called() == ("negotiate", "1", "v=0", False)
    calls = [await rooms.media.called()]
    while calls[-1][0] != "negotiate":  # not each of the three, where the worker was told them too late
        calls.append(await rooms.media.called())
    assert calls[-2:] == [("set_muted", "1", True), ("negotiate", "1", "v=1", True)]


async def test_a_second_tab_takes_over(rooms: kit.Rooms, room_id: str) -> None:
    (first,) = await rooms.enter(room_id, 1)
    second = await rooms.connect(room_id, 1)
    for tab in (first, second):
        await offer(tab)
    lost = media_pb2.VoiceLost(room_id=room_id, user_id="1", voice_id="voice-0", reason="taken_over")
    rooms.media.say(media_pb2.Event(voice_lost=lost))
    assert await first.payload("voice_lost") == {"voice_id": "voice-0", "reason": "taken_over"}


async def test_a_websocket_that_comes_back_adopts_its_voice(rooms: kit.Rooms, room_id: str) -> None:
    (ann,) = await rooms.enter(room_id, 1)
    await offer(ann)
    await ann.ws.close()
    again = await rooms.connect(room_id, 1)
    await again.send("voice_attach", {"voice_id": "voice-0"}, id="4")
    adopted = await again.until("slots")
    assert (adopted["id"], adopted["payload"]["voice_id"]) == ("4", "voice-0")
    await again.send("voice_attach", {"voice_id": "voice-9"})
    assert await again.payload("voice_lost") == {"voice_id": "voice-9", "reason": "not_found"}


async def test_leaving_ends_the_voice(rooms: kit.Rooms, room_id: str) -> None:
    (ann,) = await rooms.enter(room_id, 1)
    await offer(ann)
    await rooms.leave(room_id, 1)
    assert [await rooms.media.called() for _ in range(2)] == [
        ("negotiate", "1", "v=0", False),
        ("close", "1"),
    ]


async def test_a_worker_that_dies_takes_the_voices_and_chat_goes_on(rooms: kit.Rooms, room_id: str) -> None:
    (ann,) = await rooms.enter(room_id, 1)
    await offer(ann)
    rooms.media.hang_up()
    assert await ann.payload("voice_lost") == {"voice_id": "voice-0", "reason": "worker_lost"}
    await ann.send("chat", {"message": "still here"})
    await ann.until("chat_ack")

    assert (await offer(ann))["payload"]["voice_id"] == "voice-1"  # it came back


async def test_an_offer_waits_for_a_worker_that_restarts(
    rooms: kit.Rooms, room_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rooms.placement.PATIENCE_SECONDS", 60.0)
    (ann,) = await rooms.enter(room_id, 1)
    await offer(ann)
    rooms.media.hang_up()
    await ann.payload("voice_lost")
    await ann.send("offer", {"sdp": "v=0"}, id="2")
    assert (await ann.until("answer", "error"))["type"] == "answer"


async def test_without_a_worker_an_offer_may_be_retried(stack: kit.Stack) -> None:
    rooms = await stack.start(media_addr=("127.0.0.1:1",))
    (ann,) = await rooms.enter(await rooms.create(), 1)
    await ann.send("offer", {"sdp": "v=0"}, id="3")
    problem = await ann.payload("error")
    assert (problem["code"], problem["ref_id"], problem["retryable"]) == ("MEDIA_UNAVAILABLE", "3", True)
    await ann.send("mute", {"muted": True})
    assert (await ann.payload("participant_updated"))["participant"]["muted"] is True
