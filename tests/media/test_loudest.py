"""A room with more voices than slots: who begins to speak is heard by all, from the first syllable on."""

from __future__ import annotations

import time

from media.events import SlotsEvent
from media.router import Slot
from media.worker import Worker
from tests.media.browser import until
from tests.media.voices import Voice, recorded, voices

SYLLABLE = [b"syllable-%d" % number for number in range(5)]


def crowd(worker: Worker, *names: str) -> list[Voice]:
    return [Voice(worker, "room", name, slots=1) for name in names]


async def test_a_word_is_heard_from_its_start_by_those_who_had_no_slot_for_it(worker: Worker) -> None:
    ann, bob, eve, kim = crowd(worker, "ann", "bob", "eve", "kim")
    async with voices(ann, bob, eve, kim), recorded(worker) as events:
        assert worker.slots("room", "kim") == (Slot("1", "ann"),)
        assert worker.slots("room", "ann") == (Slot("1", "bob"),)
        for payload in SYLLABLE:
            eve.send(payload, level=25)
        heard: dict[str, list[bytes]] = {"ann": [], "bob": [], "kim": []}

        def everybody_heard() -> bool:
            for each in (ann, bob, kim):
                each.receive(heard[each.user].append)
            return all(len(packets) == len(SYLLABLE) for packets in heard.values())

        await until(everybody_heard)
        for packets in heard.values():
            assert [packet[-len(SYLLABLE[0]) :] for packet in packets] == SYLLABLE
            numbers = [int.from_bytes(packet[2:4], "big") for packet in packets]
            assert numbers == list(range(numbers[0], numbers[0] + len(SYLLABLE)))
            assert [packet[1] >> 7 for packet in packets] == [1, 0, 0, 0, 0]
        told = [each for each in events if isinstance(each, SlotsEvent)]
        assert {each.user_id: each.slots for each in told} == {
            name: (Slot("1", "eve"),) for name in ("ann", "bob", "kim")
        }
        assert eve.receive() == 0


async def test_who_speaks_keeps_the_slot_and_who_waits_gets_it_when_they_stop(worker: Worker) -> None:
    ann, bob, eve = crowd(worker, "ann", "bob", "eve")
    async with voices(ann, bob, eve):
        for _ in range(5):
            bob.send(b"a long story", level=25)
            eve.send(b"may I?", level=25)
        await until(lambda: worker.forwarder.counters.received == 10)
        assert worker.slots("room", "ann") == (Slot("1", "bob"),)
        worker.tick(time.monotonic(), 0.0)
        assert worker.slots("room", "ann") == (Slot("1", "bob"),)

        def eve_goes_on_until_she_is_heard() -> bool:
            eve.send(b"may I?", level=25)
            return worker.slots("room", "ann") == (Slot("1", "eve"),)

        await until(eve_goes_on_until_she_is_heard)


async def test_a_loud_level_on_packets_too_short_to_be_speech_moves_nobody(worker: Worker) -> None:
    ann, bob, eve = crowd(worker, "ann", "bob", "eve")
    async with voices(ann, bob, eve):
        for _ in range(10):
            eve.send(b"\xf8\xff\xfe", level=0)
        await until(lambda: worker.forwarder.counters.received == 10)
        worker.tick(time.monotonic(), 0.0)
        assert worker.slots("room", "ann") == (Slot("1", "bob"),)
