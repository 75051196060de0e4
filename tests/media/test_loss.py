"""Packets that get lost, on the way to the worker and from it, and how they are there after all.

Chosen packets are dropped, so that nothing here depends on chance or on time.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import rtp
from media.downlink import PAUSE, Downlink
from media.packet_loop import Counters, Drop, SlotNumbers, TransportNumbers
from media.participant import MAX_QUESTIONS, MAX_REPEATS, Participant
from media.uplink import Uplink
from tests.media.ends import ANN, BOB, EVE, FRAME, LOOPS, OPUS, RED, Heard, Room


@pytest.fixture(params=LOOPS)
def room(request: pytest.FixtureRequest) -> Iterator[Room]:
    made = Room(LOOPS[request.param])
    yield made
    made.close()


def said(heard: list[Heard]) -> list[tuple[int, bytes]]:
    """Sequence numbers counted from the first one, and payloads."""
    return [(each.sequence - heard[0].sequence, each.payload) for each in heard]


# --- from the speaker ------------------------------------------------------------------------------------


def test_a_lost_packet_is_asked_for_and_takes_its_place(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    ann = room.ends[ANN]
    ann.say(65535, b"one")
    ann.say(1, b"three")
    polled = room.poll(1.0)
    assert polled.missing == [(ANN, ann.ssrc, [0])]
    ann.say(0, b"two")
    assert room.poll(1.02).missing == []
    heard = room.ends[BOB].hear()
    assert said(heard) == [(0, b"one"), (2, b"three"), (1, b"two")]
    assert heard[2].timestamp - heard[0].timestamp & 0xFFFFFFFF == -65535 * FRAME & 0xFFFFFFFF
    assert room.forwarder.counters.asked == 1


def test_what_the_network_lost_is_what_the_report_says_though_it_was_repeated(room: Room) -> None:
    ann = room.ends[ANN]
    for sequence in (0, 1, 3):
        ann.say(sequence, b"opus")
    room.poll(1.0)
    ann.say(2, b"opus")
    room.poll(1.02)
    report = room.forwarder.report(ANN, 2.0)
    assert report is not None
    assert (report.cumulative_lost, report.fraction_lost) == (1, 64)


def test_the_next_packets_redundancy_fills_a_loss_before_anybody_asks(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    room.forwarder.add_route(ANN, EVE, "e1")
    ann = room.ends[ANN]
    ann.say_red(10, b"one")
    ann.say_red(12, b"three", b"two")
    assert room.poll(1.0).missing == []
    plain, red = room.ends[BOB].hear(), room.ends[EVE].hear()
    # Bob does not take RED: he gets each packet once. Eve gets what came as it came.
    assert said(plain) == [(0, b"one"), (1, b"two"), (2, b"three")]
    assert {each.payload_type for each in plain} == {109}
    steps = [each.timestamp - plain[0].timestamp & 0xFFFFFFFF for each in plain]
    assert steps == [0, FRAME, 2 * FRAME]
    assert [each.payload_type for each in red] == [RED, OPUS, RED]
    assert red[1].payload == b"two"
    assert red[2].payload.endswith(b"twothree")
    assert room.forwarder.counters.recovered == 1
    # The packet itself, when it was only late, is there already.
    ann.say_red(11, b"two", b"one")
    room.poll(1.1)
    assert room.ends[BOB].hear() == room.ends[EVE].hear() == []
    assert room.forwarder.counters.drops[Drop.LATE] == 1


def test_redundancy_that_reaches_further_back_fills_more(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    ann = room.ends[ANN]
    ann.say_red(10, b"a")
    ann.say_red(14, b"e", b"c", b"d")
    assert room.poll(1.0).missing == [(ANN, ann.ssrc, [11])]
    assert said(room.ends[BOB].hear()) == [(0, b"a"), (2, b"c"), (3, b"d"), (4, b"e")]


def test_a_listener_with_another_number_for_opus_can_read_the_blocks(room: Room) -> None:
    slot = SlotNumbers("x", 91, 100, 0, 0, 101)
    room.forwarder.add_transport(BOB, TransportNumbers(None, 0, (slot,)))
    room.connect(BOB)
    room.forwarder.add_route(ANN, BOB, "x")
    room.ends[ANN].say_red(10, b"old")
    room.ends[ANN].say_red(11, b"new", b"old")
    room.poll()
    heard = room.ends[BOB].hear()[1]
    assert heard.payload_type == 101
    assert heard.payload == (228 << 24 | FRAME << 10 | 3).to_bytes(4, "big") + b"\x64oldnew"


def test_silence_that_is_not_sent_is_no_loss(room: Room) -> None:
    """With DTX the timestamps leap and the sequence numbers do not."""
    room.forwarder.add_route(ANN, BOB, "b1")
    for turn, sequence in enumerate(range(10, 15)):
        room.ends[ANN].say(sequence, b"\xf8\xff\xfe", timestamp=turn * 20 * FRAME, level=127)
        assert room.poll(turn * 0.4).missing == []
    heard = room.ends[BOB].hear()
    assert [each.sequence - heard[0].sequence for each in heard] == [0, 1, 2, 3, 4]
    assert heard[4].timestamp - heard[0].timestamp & 0xFFFFFFFF == 80 * FRAME
    report = room.forwarder.report(ANN, 2.0)
    assert report is not None
    assert report.cumulative_lost == 0


def test_broken_red_and_red_from_one_who_offered_none_is_dropped(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    room.ends[ANN].say(1, b"\xef\0", payload_type=RED)
    room.ends[ANN].say_red(2, b"", b"old")
    room.forwarder.add_transport(EVE, TransportNumbers(OPUS, 1, ()))
    room.connect(EVE)
    room.forwarder.add_route(EVE, BOB, "b2")
    room.ends[EVE].say_red(1, b"new")
    room.poll()
    assert room.ends[BOB].hear() == []
    drops = room.forwarder.counters.drops
    assert (drops[Drop.MALFORMED], drops[Drop.EMPTY], drops[Drop.UNEXPECTED]) == (1, 1, 1)


# --- to the listener -------------------------------------------------------------------------------------


def test_a_listener_gets_what_it_asks_for_as_the_very_same_datagram(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    bob = room.ends[BOB]
    for sequence in range(65530, 65540):
        room.ends[ANN].say(sequence & 0xFFFF, b"%d" % sequence, level=sequence & 0x7F)
    room.poll(1.0)
    room.forwarder.add_route(EVE, BOB, "b1")
    room.ends[EVE].say(5, b"eve")
    room.poll(1.5)
    first = [each.sequence for each in bob.hear()]
    sent = list(bob.raw)
    assert len(sent) == 11
    room.forwarder.repeat(BOB, 71, first, 1.6)
    count = bob.socket.receive()
    inbox = bob.socket.inbox
    assert [bytes(inbox.buffer[i * 2048 : i * 2048 + inbox.sizes[i]]) for i in range(count)] == sent
    assert room.forwarder.counters.repeated == 11


def test_a_packet_in_red_is_repeated_in_red(room: Room) -> None:
    room.forwarder.add_route(ANN, EVE, "e1")
    room.ends[ANN].say_red(1, b"new", b"old")
    room.poll(1.0)
    eve = room.ends[EVE]
    (heard,) = eve.hear()
    room.forwarder.repeat(EVE, 81, [heard.sequence], 1.1)
    inbox = eve.socket.inbox
    assert eve.socket.receive() == 1
    assert bytes(inbox.buffer[: inbox.sizes[0]]) == eve.raw[0]


def test_a_question_asked_twice_in_a_breath_is_answered_once(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    room.ends[ANN].say(1, b"opus")
    room.poll(1.0)
    (heard,) = room.ends[BOB].hear()
    for now in (1.1, 1.1 + PAUSE / 2, 1.1 + PAUSE):
        room.forwarder.repeat(BOB, 71, [heard.sequence], now)
    assert room.forwarder.counters.repeated == 2


def test_what_was_never_sent_is_not_repeated(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    room.ends[ANN].say(1, b"one")
    room.ends[ANN].say(3, b"three")
    room.poll(1.0)
    first, last = (each.sequence for each in room.ends[BOB].hear())
    never = [first - 1 & 0xFFFF, first + 1, last + 1, last + 5000]
    room.forwarder.repeat(BOB, 71, never, 1.1)
    room.forwarder.repeat(BOB, 72, [first], 1.1)
    room.forwarder.repeat(BOB, 4711, [first], 1.1)
    assert room.ends[BOB].socket.receive() == 0
    assert room.forwarder.counters.drops[Drop.UNKNOWN_REPEAT] == len(never) + 1


def test_what_is_asked_for_after_five_seconds_is_repeated_and_nothing_older(room: Room) -> None:
    """The encryption lets it; a new speaker has the slot meanwhile, so that the packet is kept still."""
    room.forwarder.add_route(ANN, BOB, "b1")
    bob, eve = room.ends[BOB], room.ends[EVE]
    room.ends[ANN].say(1, b"ann")
    room.poll(1.0)
    (first,) = bob.hear()
    room.forwarder.add_route(EVE, BOB, "b1")
    for sequence in range(251):
        eve.say(sequence, b"eve")
        room.poll(1.0 + sequence / 50)
        assert len(bob.hear()) == 1
        if sequence == 249:
            room.forwarder.repeat(BOB, 71, [first.sequence], 1.0 + sequence / 50)
            assert bob.socket.receive() == 1
    room.forwarder.repeat(BOB, 71, [first.sequence], 7.0)
    assert bob.socket.receive() == 0
    assert room.forwarder.counters.drops[Drop.UNKNOWN_REPEAT] == 1
    assert room.forwarder.counters.drops[Drop.UNENCRYPTABLE] == 0


def test_a_listener_cannot_have_everything_repeated_all_the_time(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    sequences = []
    for sequence in range(100):
        room.ends[ANN].say(sequence, b"opus")
        room.poll(1.0)
        sequences += [each.sequence for each in room.ends[BOB].hear()]
    for turn in range(10):
        room.forwarder.repeat(BOB, 71, sequences, 2.0 + turn / 20)
    repeated = room.forwarder.counters.repeated
    assert MAX_REPEATS <= repeated <= MAX_REPEATS * 1.5  # half a second has passed
    assert room.forwarder.counters.drops[Drop.TOO_MANY_REPEATS] == 1000 - repeated
    room.forwarder.repeat(BOB, 71, sequences, 4.0)
    assert room.forwarder.counters.repeated == repeated + 100


def test_questions_are_bounded_whether_there_is_an_answer_or_not(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    room.ends[ANN].say(1, b"opus")
    room.poll(1.0)
    room.forwarder.repeat(BOB, 71, list(range(0x10000)), 2.0)
    drops = room.forwarder.counters.drops
    assert drops[Drop.TOO_MANY_REPEATS] == 0x10000 - MAX_QUESTIONS
    assert drops[Drop.UNKNOWN_REPEAT] + room.forwarder.counters.repeated == MAX_QUESTIONS


# --- a mute ----------------------------------------------------------------------------------------------


def test_a_mute_takes_back_what_could_be_repeated(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    room.ends[ANN].say(1, b"before")
    room.poll(1.0)
    (heard,) = room.ends[BOB].hear()
    room.forwarder.set_muted(ANN, True)
    room.ends[ANN].say(2, b"secret")
    assert room.poll(1.1).missing == []
    for muted in (True, False):
        room.forwarder.set_muted(ANN, muted)
        room.forwarder.repeat(BOB, 71, [heard.sequence, heard.sequence + 1], 1.2)
        room.forwarder.add_route(ANN, BOB, "b1", catch_up=True)
        assert room.ends[BOB].hear() == []


def test_what_was_said_while_muted_does_not_come_out_afterwards(room: Room) -> None:
    """Not in the redundancy of the first packets, not as a packet that arrives late or is asked for."""
    room.forwarder.add_route(ANN, BOB, "b1")
    room.forwarder.add_route(ANN, EVE, "e1")
    ann = room.ends[ANN]
    ann.say_red(1, b"before")
    room.poll(1.0)
    room.forwarder.set_muted(ANN, True)
    ann.say_red(2, b"secret", b"before")
    ann.say_red(4, b"secret", b"secret")
    room.poll(1.1)
    room.forwarder.set_muted(ANN, False)
    ann.say_red(5, b"after", b"secret")
    ann.say_red(3, b"secret", b"secret")
    assert room.poll(1.2).missing == []
    ann.say_red(6, b"later", b"after")
    room.poll(1.22)
    bob, eve = room.ends[BOB].hear(), room.ends[EVE].hear()
    assert said(bob) == [(0, b"before"), (1, b"after"), (2, b"later")]
    assert [each.payload_type for each in eve] == [RED, OPUS, RED]
    assert not [each for each in eve if b"secret" in each.payload]
    assert room.forwarder.counters.drops[Drop.LATE] == 1


def test_one_who_has_left_is_not_repeated(room: Room) -> None:
    room.forwarder.add_route(ANN, BOB, "b1")
    room.ends[ANN].say(1, b"opus")
    room.poll(1.0)
    (heard,) = room.ends[BOB].hear()
    room.forwarder.drop_transport(ANN)
    room.forwarder.repeat(BOB, 71, [heard.sequence], 1.1)
    assert room.ends[BOB].hear() == []


# --- a slot given in the middle of a word ----------------------------------------------------------------


def test_a_late_listener_hears_the_word_from_its_start(room: Room) -> None:
    room.forwarder.add_route(EVE, BOB, "b1")
    room.ends[EVE].say(1, b"eve")
    room.poll(9.0)
    for sequence in range(100, 110):
        room.ends[ANN].say(sequence, b"%d" % sequence)
        room.poll(10.0 + (sequence - 100) * 0.02)
    room.forwarder.add_route(ANN, BOB, "b1", catch_up=True)
    room.ends[ANN].say(110, b"110")
    room.poll(10.2)
    heard = room.ends[BOB].hear()
    assert said(heard) == [(0, b"eve"), *((number - 104, b"%d" % number) for number in range(105, 111))]
    # The time that passed between the two voices, and then their own: no later for having waited.
    stamps = [each.timestamp - heard[0].timestamp & 0xFFFFFFFF for each in heard]
    assert stamps == [0, *(round(1.1 * 48_000) + FRAME * turn for turn in range(6))]
    assert [each.marker for each in heard] == [0x80, 0x80, 0, 0, 0, 0, 0]
    assert int.from_bytes(heard[0].header[12:16], "big") == 7 * EVE
    assert {int.from_bytes(each.header[12:16], "big") for each in heard[1:]} == {7 * ANN}


def test_a_word_that_arrived_all_at_once_is_heard_from_its_start_too(room: Room) -> None:
    for sequence in range(100, 105):
        room.ends[ANN].say(sequence, b"%04d" % sequence, level=127)
    for sequence in range(105, 130):
        room.ends[ANN].say(sequence, b"%04d" % sequence)
    assert room.poll(10.0).onsets == [ANN]
    room.forwarder.add_route(ANN, BOB, "b1", catch_up=True)
    assert [each.payload for each in room.ends[BOB].hear()] == [
        b"%04d" % number for number in range(103, 130)
    ]


def test_a_word_whose_start_came_long_before_the_rest_is_heard_from_its_start_too(room: Room) -> None:
    room.ends[ANN].say(1, b"word")
    assert room.poll(10.0).onsets == []
    room.ends[ANN].say(2, b"goes")
    room.ends[ANN].say(3, b"on...")
    assert room.poll(10.5).onsets == [ANN]
    room.forwarder.add_route(ANN, BOB, "b1", catch_up=True)
    assert [each.payload for each in room.ends[BOB].hear()] == [b"word", b"goes", b"on..."]


def test_a_late_listener_hears_nothing_of_before_a_leap(room: Room) -> None:
    """Its stream would leap too, and look like thousands of lost packets."""
    for sequence in (10, 11, 20_012, 20_013):
        room.ends[ANN].say(sequence, b"%d" % sequence, timestamp=sequence % 1000 * FRAME)
    room.poll(10.0)
    room.forwarder.add_route(ANN, BOB, "b1", catch_up=True)
    room.ends[ANN].say(20_014, b"20014", timestamp=14 * FRAME)
    room.poll(10.02)
    assert said(room.ends[BOB].hear()) == [(0, b"20012"), (1, b"20013"), (2, b"20014")]


def test_a_click_is_no_word(room: Room) -> None:
    for sequence in range(30):
        room.ends[ANN].say(sequence, b"opus", level=127 if sequence % 3 else 10)
    assert room.poll(1.0).onsets == []


# --- the rule that everything above rests on -------------------------------------------------------------


@settings(max_examples=300)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("say"), st.integers(-5, 8)),
            st.tuples(st.just("red"), st.integers(-5, 8)),
            st.tuples(st.sampled_from(["ssrc", "mute", "switch", "repeat"]), st.integers(0, 40)),
        ),
        max_size=120,
    )
)
def test_a_sequence_number_never_stands_for_two_packets(steps: list[tuple[str, int]]) -> None:
    """Whatever is lost, late, filled in, muted or asked for: AES-GCM would give its key away."""
    counters = Counters()
    numbers = TransportNumbers(OPUS, 0, (SlotNumbers("1", 5, OPUS, 0, 0, RED),), RED, 1)
    uplink, other = Uplink(numbers, counters), Uplink(numbers, counters)
    out = Downlink(Participant(9, numbers, counters), numbers.slots[0])
    source, ssrc, newest, told, now = uplink, 1, 1000, 0, 0.0
    uplink.routes.append(out)
    out.stream.switch(uplink.history)
    sent: dict[int, object] = {}
    arrived: set[tuple[int, int]] = set()
    for kind, step in steps:
        now += 0.02
        if kind in ("say", "red"):
            sequence = newest + step
            if (ssrc, sequence) in arrived:  # SRTP refuses it
                continue
            arrived.add((ssrc, sequence))
            newest, told = max(newest, sequence), told + 1
            payload = b"%d" % told
            if kind == "red":
                payload = ((0x80 | OPUS) << 24 | FRAME << 10 | 1).to_bytes(4, "big") + bytes([OPUS]) + payload
            header = rtp.Header(
                RED if kind == "red" else OPUS, 0, sequence, sequence * FRAME, ssrc, 0, len(payload), None
            )
            for packet in source.take(header, payload, now):
                mapped = out.map(packet.number, packet.timestamp, now)
                if mapped is not None:
                    first, number, stamp = mapped
                    text = (packet.marker | first, stamp, packet.level, *out.payload(packet))
                    assert sent.setdefault(number, text) == text
        elif kind == "ssrc":
            ssrc += 1
        elif kind == "mute":
            source.set_muted(True)
            source.set_muted(False)
        elif kind == "switch":
            source.routes.remove(out)
            source = other if source is uplink else uplink
            source.routes.append(out)
            out.stream.switch(source.history)
            ssrc += 1
        elif sent:
            number = (max(sent) - step) & 0xFFFF
            again = out.again(number)
            if again is not None:
                text = (again.marker, again.timestamp, again.packet.level, *out.payload(again.packet))
                assert sent.setdefault(number, text) == text
