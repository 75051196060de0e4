"""A participant that is not heard of any more is noticed, in the time that what it did before allows."""

import time

import pytest

from media.events import SlotsEvent, VoiceLostEvent
from media.router import Slot
from media.worker import LOST_SILENT, LOST_SPEAKING, Worker
from tests.media.browser import until
from tests.media.voices import Voice, recorded, voices


async def test_a_speaker_that_stops_sending_is_lost_after_five_seconds(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob), recorded(worker) as events:
        assert await ann.is_heard_by(bob)
        now = time.monotonic()
        worker.tick(now + LOST_SPEAKING - 0.5, 0.0)
        assert not any(isinstance(event, VoiceLostEvent) for event in events)
        worker.tick(now + LOST_SPEAKING + 0.5, 0.0)
        await until(lambda: any(isinstance(event, VoiceLostEvent) for event in events))
        assert [event for event in events if isinstance(event, SlotsEvent | VoiceLostEvent)] == [
            SlotsEvent("room", "bob", bob.negotiated.voice_id, (Slot("1", None), Slot("2", None))),
            VoiceLostEvent("room", "ann", ann.negotiated.voice_id, "timeout"),
        ]


async def test_a_listener_has_until_its_next_consent_checks(worker: Worker) -> None:
    bob = Voice(worker, "room", "bob")
    async with voices(bob), recorded(worker) as events:
        now = time.monotonic()
        worker.tick(now + LOST_SILENT - 0.5, 0.0)
        assert events == []
        worker.tick(now + LOST_SILENT + 0.5, 0.0)
        await until(lambda: events)
        assert events == [VoiceLostEvent("room", "bob", bob.negotiated.voice_id, "timeout")]


async def test_one_voices_trouble_keeps_nobody_else_from_being_looked_after(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob), recorded(worker) as events:
        heard = worker.forwarder.heard

        def fails_for_ann(number: int) -> tuple[float | None, float | None]:
            if next(each.user_id for each in worker.voices if each.number == number) == "ann":
                raise ArithmeticError("as if")
            return heard(number)

        monkeypatch.setattr(worker.forwarder, "heard", fails_for_ann)
        worker.tick(time.monotonic() + LOST_SILENT + 0.5, 0.0)
        await until(lambda: any(isinstance(event, VoiceLostEvent) for event in events))
        assert [each.user_id for each in worker.voices] == ["ann"]


async def test_who_is_lost_and_comes_back_is_where_they_were(worker: Worker) -> None:
    carol = Voice(worker, "room", "carol", slots=3)
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(carol, ann, bob), recorded(worker) as events:
        assert await ann.is_heard_by(carol)
        assert await bob.is_heard_by(carol)
        worker.tick(time.monotonic() + LOST_SPEAKING + 0.5, 0.0)
        await until(lambda: sum(isinstance(event, VoiceLostEvent) for event in events) == 2)
        assert worker.slots("room", "carol") == (Slot("1", None), Slot("2", None), Slot("3", None))
        again = [Voice(worker, "room", user) for user in ("dan", "bob", "ann")]
        async with voices(*again):
            carols = (Slot("1", "ann"), Slot("2", "bob"), Slot("3", "dan"))
            assert worker.slots("room", "carol") == carols


async def test_one_that_never_connects_is_lost_too(worker: Worker) -> None:
    ann = Voice(worker, "room", "ann")
    negotiated = worker.negotiate("room", "ann", ann.offer(), muted=False)
    async with recorded(worker) as events:
        worker.tick(time.monotonic() + LOST_SILENT + 0.5, 0.0)
        await until(lambda: events)
        assert events == [VoiceLostEvent("room", "ann", negotiated.voice_id, "timeout")]
    ann.socket.close()


async def test_an_offer_with_anothers_fingerprint_is_refused_in_the_handshake(worker: Worker) -> None:
    ann = Voice(worker, "room", "ann")
    digest = next(line for line in ann.offer().splitlines() if "fingerprint" in line)
    forged = ann.offer().replace(digest, "a=fingerprint:sha-256 " + ":".join(["AB"] * 32))
    async with recorded(worker) as events:
        negotiated = worker.negotiate("room", "ann", forged, muted=False)
        await ann.connect(negotiated.sdp)
        await until(lambda: events)
        assert events == [VoiceLostEvent("room", "ann", negotiated.voice_id, "failed")]
    ann.socket.close()
