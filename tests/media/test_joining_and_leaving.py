"""People come and go; nobody else negotiates again, and nothing is lost in between."""

import time

import pytest

from common.errors import NotFound, Unavailable
from media.datagrams import DatagramSocket
from media.events import SlotsEvent, VoiceLostEvent
from media.packet_loop import MakeLoop
from media.router import Slot
from media.worker import LOST_SILENT, LOST_SPEAKING, Limits, Worker
from tests.media.browser import until
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
        await until(lambda: len(events) == 2)
        assert events == [
            VoiceLostEvent("room", "ann", ann.negotiated.voice_id, "taken_over"),
            SlotsEvent("room", "ann", again.negotiated.voice_id, (Slot("1", "bob"), Slot("2", None))),
        ]
        assert await bob.hears_nothing_of(ann)
        assert await again.is_heard_by(bob)
        assert await bob.is_heard_by(again)
        assert bob.heard_gaps == 0
        assert len(bob.streams) == 1
        again.socket.close()


async def test_until_the_new_voice_has_its_keys_the_old_one_goes_on(worker: Worker) -> None:
    ann, bob, again = Voice(worker, "room", "ann"), Voice(worker, "room", "bob"), Voice(worker, "room", "ann")
    async with voices(ann, bob):
        negotiated = worker.negotiate("room", "ann", again.offer(), muted=False)
        assert negotiated.slots == (Slot("1", None), Slot("2", None))
        assert await ann.is_heard_by(bob)
        assert await bob.is_heard_by(ann)
        worker.set_muted("room", "ann", True)
        await again.connect(negotiated.sdp)
        await until(lambda: worker.slots("room", "ann") == (Slot("1", "bob"), Slot("2", None)))
        assert await bob.hears_nothing_of(again)
        worker.set_muted("room", "ann", False)
        assert await again.is_heard_by(bob)
        assert bob.heard_gaps == 0
        again.socket.close()


async def test_a_new_voice_that_never_connects_changes_nothing(worker: Worker) -> None:
    ann, bob, again = Voice(worker, "room", "ann"), Voice(worker, "room", "bob"), Voice(worker, "room", "ann")
    async with voices(ann, bob), recorded(worker) as events:
        first = worker.negotiate("room", "ann", again.offer(), muted=False)
        other = Voice(worker, "room", "ann")
        second = worker.negotiate("room", "ann", other.offer(), muted=False)
        await until(lambda: events)
        assert events == [VoiceLostEvent("room", "ann", first.voice_id, "taken_over")]
        began = time.monotonic()
        for each in (ann, bob):
            each.check()
        await until(lambda: ann.socket.receive() and bob.socket.receive())
        worker.tick(began + LOST_SILENT, 0.0)
        await until(lambda: len(events) == 2)
        assert events[1:] == [VoiceLostEvent("room", "ann", second.voice_id, "timeout")]
        assert await ann.is_heard_by(bob)
        assert await bob.is_heard_by(ann)
        for socket in (again.socket, other.socket):
            socket.close()


async def test_when_the_old_voice_is_lost_first_the_arriving_one_has_its_place(worker: Worker) -> None:
    ann, bob, again = Voice(worker, "room", "ann"), Voice(worker, "room", "bob"), Voice(worker, "room", "ann")
    async with voices(ann, bob), recorded(worker) as events:
        assert await ann.is_heard_by(bob)
        soon = time.monotonic() + LOST_SPEAKING + 0.1
        negotiated = worker.negotiate("room", "ann", again.offer(), muted=False)
        bob.check()
        await until(lambda: bob.socket.receive())
        worker.tick(soon, 0.0)
        lost = VoiceLostEvent("room", "ann", ann.negotiated.voice_id, "timeout")
        await until(lambda: lost in events)
        assert worker.slots("room", "bob")[0] == Slot("1", "ann")
        await again.connect(negotiated.sdp)
        assert await again.is_heard_by(bob)
        assert await bob.is_heard_by(again)
        again.socket.close()


async def test_a_voice_that_still_runs_is_adopted(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob):
        slots = worker.attach("room", "bob", bob.negotiated.voice_id, muted=True)
        assert slots == (Slot("1", "ann"), Slot("2", None))
        assert await ann.hears_nothing_of(bob)
        with pytest.raises(NotFound):
            worker.attach("room", "bob", ann.negotiated.voice_id, muted=False)


async def test_at_a_limit_nothing_changes(packet_loop: MakeLoop) -> None:
    limits = Limits(rooms=1, participants=2, slots=1)
    worker = Worker([DatagramSocket("127.0.0.1", 0)], limits=limits, packet_loop=packet_loop)
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
