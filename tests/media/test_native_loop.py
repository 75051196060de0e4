"""The packet loop in C: that it does what the one in Python does, whatever comes, and that its thread and
Python do not get in each other's way."""

from __future__ import annotations

import random
import re
import select
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.config import ConfigError
from media import address, rtp, srtp
from media.address import Address
from media.datagrams import INBOX, STRIDE, Inbox, Outbox
from media.forwarder import Forwarder
from media.loops import choose
from media.native import build
from media.native.loop import RECORDS, NativeLoop
from media.packet_loop import Drop, Rates, SlotNumbers, TransportNumbers
from tests.media.ends import ANN, BOB, EVE, LOOPS, OPUS, RED, End, Room

native = pytest.mark.parametrize("loop", [each for each in LOOPS.values() if each is NativeLoop])

NUMBERS = dict.fromkeys((ANN, EVE), 0)


class Wire:
    """Sockets without a kernel between them, which might be late when the machine is busy."""

    def __init__(self) -> None:
        self.sockets: dict[Address, WireSocket] = {}

    def open(self, host: str, port: int) -> WireSocket:
        made = WireSocket(self, host, 1 + len(self.sockets))
        self.sockets[made.address] = made
        return made


class WireSocket:
    """A PacketSocket at one end of a Wire."""

    fd = -1
    unsent = 0

    def __init__(self, wire: Wire, host: str, port: int) -> None:
        self.wire, self.host, self.port = wire, host, port
        self.address = address.pack(host, port)
        self.inbox, self.outbox = Inbox(len(self.address)), Outbox(len(self.address))
        self.arrived: deque[tuple[Address, bytes]] = deque()

    def receive(self) -> int:
        for i in range(INBOX):
            if not self.arrived:
                return i
            source, datagram = self.arrived.popleft()
            self.inbox.put_source(i, source)
            self.inbox.buffer[i * STRIDE : i * STRIDE + len(datagram)] = datagram
            self.inbox.sizes[i] = len(datagram)
        return INBOX

    def flush(self) -> None:
        for to, datagram in self.outbox.take():
            self.send(to, datagram)

    def send(self, to: Address, datagram: bytes) -> None:
        self.wire.sockets[to].arrived.append((self.address, datagram))

    def close(self) -> None: ...


class Ear:
    """What a listener gets, put so that two of them can be compared: numbers count from the first."""

    def __init__(self, end: End) -> None:
        self.end = end
        self.first: dict[int, tuple[int, int]] = {}
        self.seen: dict[tuple[int, int], bytes] = {}

    def hear(self) -> list[Any]:
        heard: list[Any] = []
        inbox = self.end.socket.inbox
        while count := self.end.socket.receive():
            for i in range(count):
                raw = bytes(inbox.buffer[i * STRIDE : i * STRIDE + inbox.sizes[i]])
                header = rtp.parse(raw, 2)
                sequence, timestamp = self.first.setdefault(header.ssrc, (header.sequence, header.timestamp))
                number = (header.sequence - sequence) & 0xFFFF
                # AES-GCM: no two texts under one number, ever.
                again = self.seen.setdefault((header.ssrc, number), raw) is not raw
                assert self.seen[header.ssrc, number] == raw
                payload = b""
                if not again:
                    assert srtp.unprotect(self.end.contexts.receive, inbox.pointers[i], inbox.lengths[i]) == 0
                    start = i * STRIDE
                    payload = bytes(inbox.buffer[start + header.payload : start + inbox.sizes[i]])
                stamp = (header.timestamp - timestamp) & 0xFFFFFFFF
                fixed = raw[0], raw[1], raw[8 : header.payload]
                heard.append((header.ssrc, number, stamp, fixed, again, payload))
        return heard


class Played:
    """A room in which the same things are done as in another one."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.newest = {ANN: 100, EVE: 65_500}
        self.ears = [Ear(room.ends[number]) for number in (BOB, EVE)]
        self.asked: dict[int, list[int]] = {71: [], 72: [], 81: []}

    def do(self, what: str, who: int, step: int, now: float) -> list[Any]:
        loop, end = self.room.forwarder, self.room.ends[who]
        if what in ("say", "red", "quiet", "nonsense"):
            sequence = (self.newest[who] + step) & 0xFFFF
            self.newest[who] = max(self.newest[who], self.newest[who] + step)
            payload = b"%d/%d" % (who, sequence)
            timestamp = self.newest[who] * 960 if step > 0 else (self.newest[who] + step) * 960
            if what == "red":
                end.say_red(sequence, payload, *(b"old %d" % back for back in range(step % 4)))
            elif what == "nonsense":
                end.say(sequence, bytes([0x80 | OPUS, step & 0xFF]) * step, payload_type=RED)
            else:
                level = 127 if what == "quiet" else 20
                end.say(sequence, payload, level=level, timestamp=timestamp)
        elif what == "mute":
            loop.set_muted(who, step % 2 == 0)
        elif what == "ssrc":
            end.ssrc += 1000
        elif what == "route":
            loop.add_route(who, BOB, "b1" if step % 2 else "b2", catch_up=step % 3 == 0)
        elif what == "unroute":
            loop.drop_route(BOB, "b1" if step % 2 else "b2")
        elif what == "jump":
            self.newest[who] += 4000
        elif what == "ask":
            for ear in self.ears:
                for (ssrc, number), raw in sorted(ear.seen.items())[-step:]:
                    if number % 3 == 0:
                        sequence = int.from_bytes(raw[2:4], "big")
                        listener = EVE if ssrc == 81 else BOB
                        loop.repeat(listener, ssrc, [sequence, (sequence + 2) & 0xFFFF], now)
        if what != "wait":
            return []
        polled = self.room.poll(now)
        reports = [loop.report(number, now) for number in (ANN, EVE)] if step == 1 else []
        sent = [(each.ssrc, each.packets, each.octets) for each in loop.sent(BOB, now)]
        heard = [sorted(ear.hear()) for ear in self.ears]
        levels = loop.levels() if step % 2 else {}
        return [
            sorted(polled.missing),
            sorted(polled.onsets),
            reports,
            sent,
            heard,
            levels,
            loop.heard(ANN),
            loop.counters,
        ]


WHAT = (
    *("say",) * 4,
    *("wait",) * 3,
    *("red", "red", "quiet", "nonsense", "jump", "ssrc", "mute", "route", "unroute", "ask", "ask"),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(WHAT),
        st.sampled_from([ANN, ANN, EVE]),
        st.sampled_from([1, 1, 1, 2, 3, 5, 9, 30, -1, -2, -4, -20]),
    ),
    max_size=80,
)


@native
@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_both_loops_do_the_same(loop: Any, steps: list[tuple[str, int, int]]) -> None:
    """Whatever is lost, late, filled in, muted, switched or asked for."""
    both = [Played(Room(each, Wire().open)) for each in (Forwarder, loop)]
    now = 10.0
    for played in both:
        played.room.forwarder.add_route(ANN, BOB, "b1")
        played.room.forwarder.add_route(ANN, EVE, "e1")
    for what, who, step in [*steps, ("wait", ANN, 1)]:
        now += 0.013
        python, c = (played.do(what, who, abs(step) if what != "say" else step, now) for played in both)
        assert python == c


@pytest.fixture(params=[name for name in LOOPS if name != "python"] or ["python"])
def running(request: pytest.FixtureRequest) -> Iterator[Room]:
    room = Room(LOOPS[request.param])
    room.forwarder.start()
    yield room
    room.forwarder.stop()
    room.close()


def test_routes_keys_and_people_change_while_packets_fly(running: Room) -> None:
    """Under the sanitizers this is the test that would show who holds what for too long."""
    dice = random.Random(1)
    loop, ends = running.forwarder, running.ends
    deadline = time.monotonic() + 30
    turn = 0
    while loop.counters.forwarded < 3000 or turn < 2000:
        assert time.monotonic() < deadline
        turn += 1
        for number in (ANN, EVE):
            ends[number].say(turn & 0xFFFF, b"voice", level=dice.randrange(128))
        what = dice.randrange(8)
        if what < 3:
            loop.add_route(dice.choice([ANN, EVE]), BOB, dice.choice(["b1", "b2"]), catch_up=what == 0)
        elif what == 3:
            loop.drop_route(BOB, "b1")
        elif what == 4:
            loop.set_muted(ANN, turn % 5 == 0)
        elif what == 5 and turn % 9 == 0:
            loop.drop_transport(BOB)
            slots = SlotNumbers("b1", 71, 109, 2, 3), SlotNumbers("b2", 72, 109, 2, 3)
            loop.add_transport(BOB, TransportNumbers(OPUS, 1, slots))
            running.connect(BOB)
        elif what == 6:
            loop.repeat(BOB, 71, [dice.randrange(65536) for _ in range(20)], time.monotonic())
        else:
            loop.levels(), loop.heard(ANN), loop.sent(BOB, time.monotonic())
        ends[BOB].socket.receive()
        loop.poll(RECORDS, time.monotonic())


@native
def test_its_thread_has_short_slices_where_the_kernel_knows_them(loop: Any) -> None:
    room = Room(loop)
    room.forwarder.start()
    room.ends[ANN].socket.send(room.ends[ANN].to, bytes(20))  # what it hands up shows that it runs
    (event, _), *_ = room.forwarder.watched
    assert select.select([event], [], [], 10)[0]
    threads = {(each / "comm").read_text().strip(): each for each in Path("/proc/self/task").iterdir()}
    slices = re.findall(r"^se\.slice *: *(\d+)$", (threads["packets"] / "sched").read_text(), re.MULTILINE)
    room.forwarder.stop()
    room.close()
    assert slices in (["100000"], [])


def test_what_is_handed_up_is_bounded_and_counted(running: Room) -> None:
    """Nobody polls, and strangers send what looks like checks: memory does not grow, and voices go on."""
    loop, ann, bob = running.forwarder, running.ends[ANN], running.ends[BOB]
    stranger = End(77)
    deadline = time.monotonic() + 30
    while not loop.counters.drops[Drop.UNATTENDED]:
        assert time.monotonic() < deadline
        for _ in range(50):
            stranger.socket.send(ann.to, bytes(1500))
    loop.add_route(ANN, BOB, "b1")
    heard: list[bytes] = []
    for sequence in range(100):  # the kernel may have no room for the first ones
        ann.say(sequence, b"heard")
        select.select([bob.socket.fd], [], [], 0.2)
        if heard := [each.payload for each in bob.hear()]:
            break
    assert heard[0] == b"heard"
    # A participant's own checks have room still.
    watched = {index: fd for fd, index in loop.watched}
    assert select.select([watched[RECORDS]], [], [], 10)[0]
    stun: list[bytes] = []
    while bytes(20) not in stun:
        assert time.monotonic() < deadline
        ann.socket.send(ann.to, bytes(20))
        stun += [datagram for _, datagram in loop.poll(RECORDS, 1.0).stun]
    stranger.socket.close()


def test_what_a_participant_sends_leaves_room_for_what_the_loop_says(running: Room) -> None:
    """Nobody polls, and one floods with what is to be handed up: questions to speakers are still asked."""
    loop, ann, bob = running.forwarder, running.ends[ANN], running.ends[BOB]
    deadline = time.monotonic() + 30
    while not loop.counters.drops[Drop.UNATTENDED]:
        assert time.monotonic() < deadline
        for _ in range(50):
            ann.socket.send(ann.to, bytes(1))  # as STUN begins
    loop.add_route(ANN, BOB, "b1")
    heard = 0
    for sequence in range(0, 200, 2):  # the kernel may have no room for the first ones
        ann.say(sequence, b"one of two")
        select.select([bob.socket.fd], [], [], 0.2)
        heard += len(bob.hear())
        if heard > 1:
            break
    assert any(number == ANN for number, _, _ in loop.poll(RECORDS, time.monotonic()).missing)


@native
def test_a_machine_may_have_many_addresses(loop: Any) -> None:
    """Each container network is one, and each is listened on by UDP and by TCP."""
    wire = Wire()
    loop([wire.open("127.0.0.1", 0) for _ in range(200)], Rates())


def test_the_reasons_have_one_number_in_both_languages() -> None:
    text = (build.FOLDER / "uplink.h").read_text("utf-8")
    listed = text.partition("typedef enum {")[2].partition("}")[0]
    assert [word.strip() for word in listed.split(",") if word.strip()] == [drop.name for drop in Drop]


def test_without_a_compiler_the_loop_is_the_one_in_python(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert choose("python") is Forwarder
    monkeypatch.setattr(build, "BUILT", tmp_path / "built")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    assert choose("auto") is Forwarder
    with pytest.raises(ConfigError, match="no C compiler"):
        choose("native")


def test_a_compiler_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build, "BUILT", tmp_path / "built")
    monkeypatch.setenv("CC", "false")
    with pytest.raises(build.NotBuiltError, match="false failed"):
        build.build()
    assert choose("auto") is Forwarder


@native
def test_it_is_compiled_without_a_warning(loop: Any, tmp_path: Path) -> None:
    sources = [str(path) for path in sorted(build.FOLDER.glob("*.c"))]
    command = ["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", *sources]
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "loop.so"), "-lm"], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
