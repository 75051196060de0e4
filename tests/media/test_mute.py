"""A mute holds in the packet path: not one packet comes through, and unmuting brings the voice back."""

import asyncio

from media.events import SpeakersEvent
from media.packet_loop import Drop
from media.speakers import Speaker
from media.worker import Worker
from tests.media.browser import Browser, browsers, until
from tests.media.voices import Voice, recorded, voices


async def test_muted_nothing_and_unmuted_everything(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob):
        assert await ann.is_heard_by(bob)
        worker.set_muted("room", "ann", True)
        assert await bob.hears_nothing_of(ann)
        worker.set_muted("room", "ann", False)
        assert await ann.is_heard_by(bob)
        assert bob.heard_gaps == 0


async def test_one_who_joins_muted_is_muted_from_the_first_packet(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(bob):
        await ann.join(muted=True)
        assert await bob.hears_nothing_of(ann)
        worker.set_muted("room", "ann", False)
        assert await ann.is_heard_by(bob)
        ann.socket.close()


async def test_a_browser_hears_the_silence_and_the_voice_again(worker: Worker) -> None:
    ann, bob = Browser(worker, "room", "ann"), Browser(worker, "room", "bob", hertz=None)
    async with browsers(ann, bob):
        await ann.join()
        await bob.join()
        await until(lambda: worker.forwarder.counters.forwarded > 10)
        worker.set_muted("room", "ann", True)
        muted_at = worker.forwarder.counters.forwarded
        await until(lambda: worker.forwarder.counters.drops[Drop.MUTED] > 10)
        assert worker.forwarder.counters.forwarded == muted_at
        received = await bob.received(0)
        worker.set_muted("room", "ann", False)
        await until(lambda: worker.forwarder.counters.forwarded > muted_at + 10)
        await asyncio.sleep(0)
        assert await bob.received(0) > received
        assert await bob.lost(0) == 0


async def test_a_muted_speaker_is_not_shown_as_speaking(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob), recorded(worker, every=True) as events:
        ann.send(b"opus", level=20)
        await until(lambda: SpeakersEvent("room", (Speaker("ann", 104),)) in events)
        worker.set_muted("room", "ann", True)
        await until(lambda: events[-1] == SpeakersEvent("room", ()))
        ann.send(b"opus", level=20)
        await until(lambda: worker.forwarder.counters.drops[Drop.MUTED] == 1)
        worker.tick(0.0, 0.0)
        assert events[-1] == SpeakersEvent("room", ())
