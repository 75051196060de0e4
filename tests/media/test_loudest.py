"""A room with more voices than slots: who begins to speak is heard by all, from the first syllable on."""

from __future__ import annotations

import time
from itertools import pairwise

from media import rtp
from media.events import SlotsEvent
from media.router import Slot
from media.voice import contributor
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


async def test_a_crowded_room_packet_by_packet(worker: Worker) -> None:
    """Nine people with four slots each; four of them say a word, one after the other. Everybody gets every
    word whole, in slots that are one stream each, with the speaker's number on every packet."""
    people = [Voice(worker, "room", f"p{number}", slots=4) for number in range(9)]
    talkers = people[5:]
    heard: dict[str, list[bytes]] = {each.user: [] for each in people}
    async with voices(*people):
        for turn, talker in enumerate(talkers):
            for number in range(8):
                talker.send(f"{talker.user} {number}".encode(), level=25)

            def the_word_is_out(words: int = turn + 1) -> bool:
                for each in people:
                    each.receive(heard[each.user].append)
                return all(
                    len(heard[each.user]) == 8 * (words - (each in talkers[:words])) for each in people
                )

            await until(the_word_is_out)
        numbers = {contributor("room", each.user): each.user for each in people}
        for each in people:
            spoken: dict[str, list[int]] = {}
            streams: dict[int, list[rtp.Header]] = {}
            for packet in heard[each.user]:
                header = rtp.parse(packet, 0)
                name, _, place = packet[header.payload :].decode().partition(" ")
                assert numbers[int.from_bytes(packet[12:16], "big")] == name
                spoken.setdefault(name, []).append(int(place))
                streams.setdefault(header.ssrc, []).append(header)
            assert spoken == {other.user: list(range(8)) for other in talkers if other is not each}
            for stream in streams.values():
                for before, after in pairwise(stream):
                    assert (after.sequence - before.sequence) & 0xFFFF == 1
                    assert 0 < (after.timestamp - before.timestamp) & 0xFFFFFFFF < 1 << 31


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
