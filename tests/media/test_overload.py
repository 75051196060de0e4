"""The overload mode of the native loop: what goes to one listener in a tick shares a send."""

from __future__ import annotations

import functools
import os
import random
import select
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from media.native.loop import ALWAYS, RECORDS, NativeLoop
from tests.media.ends import ANN, BOB, EVE, LOOPS, Heard, Room
from tests.media.hosts import HOSTS

pytestmark = pytest.mark.skipif("native" not in LOOPS, reason="there is no C compiler")

_SO_NO_CHECK = 11
_UDP_NO_CHECK6_TX, _UDP_NO_CHECK6_RX = 101, 102
DEADLINE_S = 30.0


@pytest.fixture(params=HOSTS)
def room(request: pytest.FixtureRequest) -> Iterator[Room]:
    """Without a thread: a poll is a tick. Both speakers are heard by Bob."""
    made = Room(functools.partial(NativeLoop, overload=ALWAYS), host=request.param)
    made.forwarder.add_route(ANN, BOB, "b1")
    made.forwarder.add_route(EVE, BOB, "b2")
    yield made
    made.close()


@pytest.fixture
def running() -> Iterator[Callable[[tuple[float, float]], Room]]:
    """Starts a room's thread with these shares."""
    rooms: list[Room] = []

    def start(overload: tuple[float, float]) -> Room:
        room = Room(functools.partial(NativeLoop, overload=overload))
        room.forwarder.add_route(ANN, BOB, "b1")
        room.forwarder.add_route(EVE, BOB, "b2")
        room.forwarder.start()
        rooms.append(room)
        return room

    yield start
    for room in rooms:
        room.forwarder.stop()
        room.close()


def by_slot(heard: list[Heard]) -> dict[int, list[bytes]]:
    slots: dict[int, list[bytes]] = defaultdict(list)
    for each in heard:
        slots[each.ssrc].append(each.payload)
    return slots


def leave_out_checksums(room: Room) -> None:
    """What the room's socket sends has none, and Bob takes it."""
    for end, option in ((room.socket, _UDP_NO_CHECK6_TX), (room.ends[BOB].socket, _UDP_NO_CHECK6_RX)):
        with socket.socket(fileno=os.dup(end.fd)) as its:
            if its.family == socket.AF_INET6:
                its.setsockopt(socket.IPPROTO_UDP, option, 1)
            elif end is room.socket:
                its.setsockopt(socket.SOL_SOCKET, _SO_NO_CHECK, 1)


@pytest.mark.parametrize(
    ("ann", "eve", "together"),
    [
        ([50, 50], [50, 50], 4),
        ([50], [40], 2),
        ([40], [50], 2),  # the longer one goes first
        ([40, 50], [45], 2),  # 45 and 40; Ann's second is longer and cannot overtake her first
        ([1300, 1300], [1300], 0),  # some path may be too narrow for them in one
        ([50], [], 0),
    ],
)
def test_as_many_as_go_in_one(room: Room, ann: list[int], eve: list[int], together: int) -> None:
    for number, sizes in ((ANN, ann), (EVE, eve)):
        for sequence, size in enumerate(sizes):
            room.ends[number].say(sequence, bytes([number]) * size)
    room.poll(1.0)
    heard = by_slot(room.ends[BOB].hear())
    assert [len(each) for each in heard[71]] == ann
    assert [len(each) for each in heard[72]] == eve
    assert room.forwarder.overload.segments == together


def test_whatever_their_sizes_every_stream_arrives_whole_and_in_order(room: Room) -> None:
    dice = random.Random(3)
    said: dict[int, list[bytes]] = {71: [], 72: []}
    heard: list[Heard] = []
    for turn in range(200):
        for number, slot in ((ANN, 71), (EVE, 72)):
            for part in range(2):
                payload = dice.randbytes(dice.choice([1, 20, 60, 60, 61, 200, 1200]))
                room.ends[number].say(2 * turn + part, payload)
                said[slot].append(payload)
        room.poll(turn * 0.02)
        heard += room.ends[BOB].hear()
    assert by_slot(heard) == said
    assert room.forwarder.overload.segments > 200
    assert room.forwarder.unsent == 0


def test_where_segments_are_refused_packets_go_singly(room: Room) -> None:
    """A socket without checksums takes none: EINVAL. A device that leaves them to the kernel: EIO."""
    leave_out_checksums(room)
    for sequence in range(3):
        room.ends[ANN].say(sequence, b"the same")
        room.ends[EVE].say(sequence, b"and that")
        room.poll(1.0)
    assert by_slot(room.ends[BOB].hear()) == {71: [b"the same"] * 3, 72: [b"and that"] * 3}
    assert (room.forwarder.overload.segments, room.forwarder.unsent) == (0, 0)


def test_a_refused_socket_ends_the_mode(running: Callable[[tuple[float, float]], Room]) -> None:
    room = running(ALWAYS)
    leave_out_checksums(room)
    deadline = time.monotonic() + DEADLINE_S
    sequence = 0
    while room.forwarder.overload.on:
        assert time.monotonic() < deadline
        room.ends[ANN].say(sequence, b"voice")
        room.ends[EVE].say(sequence, b"voice")
        sequence += 1
        select.select([], [], [], 0.002)


def test_it_begins_past_the_load_and_ends_by_itself(running: Callable[[tuple[float, float]], Room]) -> None:
    room = running((0.1, 0.05))
    loop, ann, bob = room.forwarder, room.ends[ANN], room.ends[BOB]
    assert loop.overload.begun == 0
    deadline = time.monotonic() + DEADLINE_S
    sequence, heard = 0, 0
    while not loop.overload.ticks:
        assert time.monotonic() < deadline
        for _ in range(20):
            ann.say(sequence & 0xFFFF, b"voice")
            sequence += 1
        heard += len(bob.hear())
    while loop.overload.on:
        assert time.monotonic() < deadline
        select.select([bob.socket.fd], [], [], 0.01)
        heard += len(bob.hear())
    assert loop.overload.begun == 1
    loop.stop()
    heard += len(bob.hear())
    # What waited for a tick's end was sent, once.
    assert heard == loop.counters.forwarded
    assert loop.unsent == 0


def test_never_is_never(running: Callable[[tuple[float, float]], Room]) -> None:
    room = running((2.0, 2.0))
    deadline = time.monotonic() + 0.6  # two windows of the measurement
    sequence = 0
    while time.monotonic() < deadline:
        room.ends[ANN].say(sequence & 0xFFFF, b"voice")
        sequence += 1
    assert room.forwarder.overload.begun == room.forwarder.overload.ticks == 0


def test_a_slot_keeps_its_order_when_it_changes_within_a_tick(
    running: Callable[[tuple[float, float]], Room],
) -> None:
    """Python sends what has just been said, the thread what follows."""
    room = running(ALWAYS)
    loop, bob = room.forwarder, room.ends[BOB]
    arrived: list[int] = []
    turn = 0
    deadline = time.monotonic() + DEADLINE_S
    while loop.overload.segments < 100 or len(arrived) < 300:
        assert time.monotonic() < deadline
        turn += 1
        for number in (ANN, EVE):
            room.ends[number].say(turn, b"voice %d" % turn)
        if turn % 3 == 0:
            loop.add_route(dict(enumerate((ANN, EVE)))[turn % 2], BOB, "b1", catch_up=True)
        arrived += [each.sequence for each in bob.hear() if each.ssrc == 71]
        loop.poll(RECORDS, time.monotonic())
        select.select([], [], [], 0.004)
    steps = [(after - before) & 0xFFFF for before, after in pairwise(arrived)]
    assert set(steps) == {1}
