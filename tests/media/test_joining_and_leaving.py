"""People come and go; nobody else negotiates again, and nothing is lost in between."""

import pytest

from common.errors import NotFound, Unavailable
from media.datagrams import DatagramSocket
from media.events import SlotsEvent, VoiceLostEvent
from media.router import Slot
from media.worker import Limits, Worker
from tests.media.voices import Voice, recorded, voices


async def test_a_third_joins_and_leaves_with_no_new_offer(worker: Worker) -> None:
    ann, bob, eve = (Voice(worker, "room", user) for user in ("ann", "bob", "eve"))
    async with voices(ann, bob), recorded(worker) as events:
        assert await ann.is_heard_by(bob)
        await eve.join()
        assert events[:2] == [
            SlotsEvent("room", "ann", ann.negotiated.voice_id, (Slot("1", "bob"), Slot("2", "eve"))),
            SlotsEvent("room", "bob", bob.negotiated.voice_id, (Slot("1", "ann"), Slot("2", "eve"))),
        ]
        assert await eve.is_heard_by(ann, bob)
        assert await ann.is_heard_by(bob, eve)
        worker.close("room", "eve")
        assert await bob.is_heard_by(ann)
        assert events[2:] == [
            SlotsEvent("room", "ann", ann.negotiated.voice_id, (Slot("1", "bob"), Slot("2", None))),
            SlotsEvent("room", "bob", bob.negotiated.voice_id, (Slot("1", "ann"), Slot("2", None))),
        ]
        assert ann.heard_gaps == bob.heard_gaps == 0
        eve.socket.close()


async def test_rooms_do_not_hear_each_other(worker: Worker) -> None:
    ann, bob = Voice(worker, "one", "ann"), Voice(worker, "two", "bob")
    async with voices(ann, bob):
        assert await bob.hears_nothing_of(ann)


async def test_when_everybody_left_the_room_is_gone(worker: Worker) -> None:
    ann = Voice(worker, "room", "ann")
    async with voices(ann):
        worker.close("room", "ann")
        worker.close("room", "ann")
        worker.close("elsewhere", "ann")
        with pytest.raises(NotFound):
            worker.attach("room", "ann", ann.negotiated.voice_id, muted=False)


async def test_a_second_tab_takes_over_and_the_others_hear_it_in_the_same_slot(worker: Worker) -> None:
    ann, bob, again = Voice(worker, "room", "ann"), Voice(worker, "room", "bob"), Voice(worker, "room", "ann")
    async with voices(ann, bob), recorded(worker) as events:
        assert await ann.is_heard_by(bob)
        await again.join()
        assert events == [VoiceLostEvent("room", "ann", ann.negotiated.voice_id, "taken_over")]
        assert again.negotiated.slots == (Slot("1", "bob"), Slot("2", None))
        assert await bob.hears_nothing_of(ann)
        assert await again.is_heard_by(bob)
        assert await bob.is_heard_by(again)
        assert bob.heard_gaps == 0
        assert len(bob.streams) == 1
        again.socket.close()


async def test_a_voice_that_still_runs_is_adopted(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob):
        slots = worker.attach("room", "bob", bob.negotiated.voice_id, muted=True)
        assert slots == (Slot("1", "ann"), Slot("2", None))
        assert await ann.hears_nothing_of(bob)
        with pytest.raises(NotFound):
            worker.attach("room", "bob", ann.negotiated.voice_id, muted=False)


async def test_at_a_limit_nothing_changes() -> None:
    worker = Worker([DatagramSocket("127.0.0.1", 0)], limits=Limits(rooms=1, participants=2, slots=1))
    async with worker.running():
        ann, bob, eve = (Voice(worker, "room", user) for user in ("ann", "bob", "eve"))
        async with voices(ann, bob):
            with pytest.raises(Unavailable):
                await eve.join()
            eve.room = "another"
            with pytest.raises(Unavailable):
                await eve.join()
            assert await ann.is_heard_by(bob)
            assert [slot.user_id for slot in ann.negotiated.slots] == [None]
            eve.socket.close()
