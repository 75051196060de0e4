"""The packet path, from a speaker's datagram to its listeners', with time as an argument."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise

import pytest

from media import address, datagrams, rtp
from media.address import Path
from media.datagrams import OUTBOX, DatagramSocket
from media.packet_loop import Drop, Rates, SlotNumbers, TransportNumbers
from tests.media.ends import ANN, BOB, EVE, FRAME, LOOPS, End, Room

WAYS = {name: [True] for name in LOOPS} | {"python": [True, False] if datagrams.BATCHED else [False]}


@pytest.fixture(
    params=[(loop, batched) for loop in LOOPS for batched in WAYS[loop]],
    ids=lambda way: f"{way[0]}-{'batched' if way[1] else 'singly'}",
)
def room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    loop, batched = request.param
    monkeypatch.setattr(datagrams, "BATCHED", batched)
    made = Room(LOOPS[loop])
    yield made
    made.close()


def test_each_listener_gets_the_packet_in_its_own_numbering(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b2")
    room.forwarder.add_route(ANN, EVE, "e1")
    room.ends[ANN].say(500, b"opus", level=0x9E)
    room.poll()
    (bob,) = room.ends[BOB].hear()
    (eve,) = room.ends[EVE].hear()
    assert (bob.payload_type, bob.ssrc, bob.payload) == (109, 72, b"opus")
    assert bob.header[12:] == struct.pack(
        ">I", 7 * ANN
    ) + b"\xbe\xde\0\x02" + b"\x20\x9e" + b"\x31b2" + bytes(3)
    assert (eve.payload_type, eve.ssrc, eve.payload) == (111, 81, b"opus")
    assert eve.header[12:] == struct.pack(">I", 7 * ANN) + b"\xbe\xde\0\x01" + bytes(4)
    assert bob.sequence < 0x8000
    assert eve.sequence < 0x8000


def test_rollover_counters_hold_over_many_wraps(room: Room) -> None:
    """The speaker's and each slot's, which wrap at other moments; also of who comes after a wrap."""
    room.forwarder.add_route(ANN, BOB, "b1")
    step, said = 2_999, 3 * 65_536 // 2_999
    numbers: dict[int, list[int]] = {BOB: [], EVE: []}
    for count in range(said):
        if count == said // 2:
            room.forwarder.add_route(ANN, EVE, "e1")
        room.ends[ANN].say(40_000 + count * step & 0xFFFF, b"%d" % count)
        room.poll(count * 0.02)
        for number, heard in numbers.items():
            for packet in room.ends[number].hear():
                assert packet.payload == b"%d" % count
                heard.append(packet.sequence)
    assert (len(numbers[BOB]), len(numbers[EVE])) == (said, said - said // 2)
    for heard in numbers.values():
        steps = {(after - before) & 0xFFFF for before, after in pairwise(heard)}
        assert steps == {step}


def test_a_slot_goes_on_through_a_change_of_speaker(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    for sequence in (65534, 65535, 0):
        room.ends[ANN].say(sequence, b"ann")
    room.poll(1.0)
    room.forwarder.add_route(EVE, BOB, "b1")
    room.ends[ANN].say(1, b"ann")
    room.ends[EVE].say(7, b"eve")
    room.poll(1.5)
    heard = room.ends[BOB].hear()
    assert [each.payload for each in heard] == [b"ann", b"ann", b"ann", b"eve"]
    first = heard[0]
    assert [each.sequence - first.sequence for each in heard] == [0, 1, 2, 3]
    stamps = [(each.timestamp - first.timestamp) & 0xFFFFFFFF for each in heard]
    # Two frames, and then the half second until Eve's.
    assert stamps[1] == FRAME
    assert stamps[3] - stamps[2] == 24_000
    assert {each.ssrc for each in heard} == {71}


def test_a_speaker_who_has_spoken_before_takes_a_slot_over_in_step(room: Room) -> None:
    room.ends[EVE].say(3000, b"to nobody")
    room.forwarder.add_route(ANN, BOB, "b1")
    room.ends[ANN].say(9000, b"ann")
    room.poll(1.0)
    room.forwarder.add_route(EVE, BOB, "b1")
    room.ends[EVE].say(3001, b"eve")
    room.poll(1.5)
    ann, eve = room.ends[BOB].hear()
    assert eve.sequence == ann.sequence + 1
    assert (eve.timestamp - ann.timestamp) & 0xFFFFFFFF == 24_000


def test_what_is_too_late_for_a_slot_is_counted(room: Room) -> None:
    """A packet of before the slot's change; who has heard the speaker all the time gets it."""
    room.forwarder.add_route(ANN, EVE, "e1")
    for sequence in (1, 3):
        room.ends[ANN].say(sequence, b"%d" % sequence)
    room.poll()
    room.forwarder.add_route(ANN, BOB, "b1")
    for sequence in (4, 2):
        room.ends[ANN].say(sequence, b"%d" % sequence)
    room.poll()
    assert [each.payload for each in room.ends[BOB].hear()] == [b"4"]
    assert [each.payload for each in room.ends[EVE].hear()] == [b"1", b"3", b"4", b"2"]
    assert room.forwarder.counters.drops[Drop.LATE] == 1


def test_a_leap_of_the_speaker_is_no_loss_to_the_listener(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    room.ends[ANN].say(10, b"before")
    room.ends[ANN].say(20_010, b"after")
    room.poll()
    before, after = room.ends[BOB].hear()
    assert after.sequence == before.sequence + 1


def test_a_mute_drops_everything_and_after_it_the_slot_goes_on(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    room.ends[ANN].say(1, b"before")
    room.poll(1.0)
    room.forwarder.set_muted(ANN, True)
    for sequence in range(2, 52):
        room.ends[ANN].say(sequence, b"secret")
    room.poll(2.0)
    assert room.forwarder.levels() == {}
    room.forwarder.set_muted(ANN, False)
    room.ends[ANN].say(52, b"after")
    room.poll(2.0)
    before, after = room.ends[BOB].hear()
    assert (before.payload, after.payload) == (b"before", b"after")
    assert after.sequence == before.sequence + 1
    assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == 48_000
    assert room.forwarder.counters.drops[Drop.MUTED] == 50


def test_the_uplinks_losses_are_the_listeners_too(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    for sequence in (10, 11, 14, 13):
        room.ends[ANN].say(sequence, b"opus")
    room.poll()
    heard = room.ends[BOB].hear()
    assert [each.sequence - heard[0].sequence for each in heard] == [0, 1, 4, 3]


def test_a_new_ssrc_of_the_speaker_goes_on_in_the_same_stream(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    room.ends[ANN].say(10, b"old")
    room.ends[ANN].ssrc = 4242
    room.ends[ANN].say(40_000, b"new")
    room.poll()
    old, new = room.ends[BOB].hear()
    assert new.sequence == old.sequence + 1
    assert new.ssrc == old.ssrc


def test_ssrcs_are_bounded(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    for ssrc in range(100):
        room.ends[ANN].ssrc = ssrc
        room.ends[ANN].say(1, b"opus")
    room.poll()
    assert len(room.ends[BOB].hear()) == 16
    assert room.forwarder.counters.dropped == 84


def test_a_speakers_rate_is_bounded_over_time_and_at_once(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    at_once = Rates().at_once
    for sequence in range(2 * at_once):
        room.ends[ANN].say(sequence, b"opus")
        room.poll(now=1.0)
    counters = room.forwarder.counters
    assert counters.forwarded == counters.dropped == at_once
    for sequence in range(2 * at_once, 2 * at_once + 2000):
        room.ends[ANN].say(sequence, b"opus")
        room.poll(now=1.0 + (sequence - 2 * at_once) / 1000)
    assert room.forwarder.counters.forwarded == pytest.approx(at_once + 2 * Rates().packets, abs=2)


def test_many_packets_of_one_keep_nobody_elses_waiting(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    room.forwarder.add_route(EVE, BOB, "b2")
    for sequence in range(120):  # more than are read at once
        room.ends[ANN].say(sequence, b"ann")
    room.ends[EVE].say(1, b"eve")
    assert room.forwarder.poll(0, 1.0).more
    heard = [each.payload for each in room.ends[BOB].hear()]
    assert heard.count(b"eve") == 1
    assert 0 < heard.count(b"ann") < 6
    room.poll(1.0)
    assert room.forwarder.counters.forwarded == 121


def test_turns_go_by_who_came_first(room: Room) -> None:
    """Who is heard to begin first gets the slot."""
    for sequence in range(5):
        for speaker in (ANN, EVE):
            room.ends[speaker].say(sequence, b"a word")
    assert room.poll(1.0).onsets == [ANN, EVE]


def test_what_waits_for_its_turn_is_muted_and_dropped_too(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    room.forwarder.add_route(EVE, BOB, "b2")
    for sequence in range(20):
        room.ends[ANN].say(sequence, b"before")
        room.ends[EVE].say(sequence, b"before")
    assert room.forwarder.poll(0, 1.0).more
    room.ends[BOB].hear()
    room.forwarder.set_muted(ANN, True)
    for sequence in range(20, 40):
        room.ends[ANN].say(sequence, b"secret")
    assert room.forwarder.poll(0, 1.0).more
    room.forwarder.set_muted(ANN, False)
    room.forwarder.drop_transport(EVE)
    room.ends[BOB].hear()
    room.ends[ANN].say(40, b"after")
    room.poll(1.1)
    assert [each.payload for each in room.ends[BOB].hear()] == [b"after"]


def test_a_listener_that_cannot_be_sent_to_hurts_nobody(room: Room) -> None:
    room.forwarder.add_route(ANN, EVE, "e1")
    room.forwarder.add_route(ANN, BOB, "b1")
    room.forwarder.aim(EVE, Path(0, address.pack("255.255.255.255", 9)))
    for sequence in range(5):
        room.ends[ANN].say(sequence, b"opus")
    room.poll()
    assert len(room.ends[BOB].hear()) == 5
    assert room.forwarder.unsent == 5


def test_a_listener_that_is_not_connected_yet_starts_when_it_is(room: Room) -> None:
    late = 9
    room.ends[late] = End(late)
    room.forwarder.add_transport(late, TransportNumbers(None, 0, (SlotNumbers("1", 91, 111, 0, 0),)))
    room.forwarder.add_route(ANN, late, "1")
    room.ends[ANN].say(1, b"unheard")
    room.poll()
    room.connect(late)
    room.ends[ANN].say(2, b"heard")
    room.poll()
    assert [each.payload for each in room.ends[late].hear()] == [b"heard"]


def test_after_a_transport_is_dropped_nothing_goes_to_it_or_from_it(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    room.forwarder.add_route(EVE, BOB, "b2")
    room.forwarder.add_route(ANN, EVE, "e1")
    room.forwarder.drop_transport(EVE)
    room.forwarder.drop_transport(EVE)
    room.ends[EVE].say(1, b"eve")
    room.ends[ANN].say(1, b"ann")
    room.poll()
    assert [each.payload for each in room.ends[BOB].hear()] == [b"ann"]
    assert room.ends[EVE].hear() == []


def test_what_is_not_authentic_or_not_expected_is_dropped_and_counted(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    ann = room.ends[ANN]
    datagram = ann.say(1, b"opus")
    ann.socket.send(ann.to, datagram)  # replayed
    ann.socket.send(ann.to, datagram[:-1] + bytes([datagram[-1] ^ 1]))  # forged
    ann.socket.send(ann.to, datagram[:11])  # cut off
    ann.say(2, b"opus", payload_type=0)  # another codec
    ann.say(3, b"")  # nothing to say
    ann.say(4, bytes(rtp.MAX_PAYLOAD + 1))  # too much to say
    stranger = DatagramSocket("127.0.0.1", 0)
    stranger.send(ann.to, datagram)
    room.poll()
    assert len(room.ends[BOB].hear()) == 1
    assert room.forwarder.counters.dropped == 7
    assert room.forwarder.counters.forwarded == 1
    stranger.close()


def test_a_batch_larger_than_the_outbox_arrives_whole(room: Room) -> None:
    for listener, mid in ((BOB, "b1"), (BOB, "b2"), (EVE, "e1")):
        room.forwarder.add_route(ANN, listener, mid)
    each_time = OUTBOX // 3 + 10
    heard = 0
    for turn in range(5):
        for number in range(each_time):
            room.ends[ANN].say(turn * each_time + number, bytes(100))
        room.poll(now=float(turn))
        for listener in (BOB, EVE):
            while count := len(room.ends[listener].hear()):
                heard += count
    assert heard == 5 * each_time * 3


def test_the_loudest_level_since_the_last_call(room: Room) -> None:
    for sequence, level in enumerate((0x80 | 40, 25, 127)):
        room.ends[ANN].say(sequence, b"opus", level=level)
    room.poll()
    assert room.forwarder.levels() == {ANN: 25}
    assert room.forwarder.levels() == {}


def test_rtcp_is_handed_up_in_plain_and_goes_nowhere(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    report = struct.pack(">BBHI", 0x80, 201, 1, room.ends[ANN].ssrc)
    ann = room.ends[ANN]
    encrypted = ann.contexts.protect_rtcp(report)
    assert encrypted is not None
    ann.socket.send(ann.to, encrypted)
    ann.socket.send(ann.to, report + bytes(20))
    polled = room.forwarder.poll(0, 3.0)
    assert polled.rtcp == [(ANN, report)]
    assert room.forwarder.heard(ANN) == (3.0, None)
    assert room.ends[BOB].socket.receive() == 0


def test_our_rtcp_reaches_the_participant(room: Room) -> None:
    report = struct.pack(">BBHI", 0x80, 201, 1, 77)
    room.forwarder.send_rtcp(BOB, report)
    inbox = room.ends[BOB].socket.inbox
    assert room.ends[BOB].socket.receive() == 1
    assert room.ends[BOB].contexts.unprotect_rtcp(bytes(inbox.buffer[: inbox.sizes[0]])) == report
