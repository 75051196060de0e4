"""The TCP way in: frames to datagrams and back, and whoever misbehaves is on their own."""

from __future__ import annotations

import random
import select
from collections.abc import Iterator

import pytest

from media import address
from media.datagrams import STRIDE, Target
from media.streams import SILENT_SECONDS, UNPROVEN_SECONDS, StreamSocket
from tests.media.dialled import Dialled

HELLO = b"\0\1" + b"hello"


@pytest.fixture
def listener() -> Iterator[StreamSocket]:
    with_room = StreamSocket("127.0.0.1", 0, connections=4, unproven=3)
    yield with_room
    with_room.close()


def here(listener: StreamSocket) -> address.Address:
    return address.pack(listener.host, listener.port)


def take(listener: StreamSocket, count: int) -> list[tuple[address.Address, bytes]]:
    """The next `count` datagrams, with where they came from."""
    taken: list[tuple[address.Address, bytes]] = []
    while len(taken) < count:
        assert select.select([listener.fd], [], [], 5)[0], f"only {len(taken)} of {count} came"
        for i in range(listener.receive()):
            start = i * STRIDE
            datagram = bytes(listener.inbox.buffer[start : start + listener.inbox.sizes[i]])
            taken.append((listener.inbox.source(i), datagram))
    return taken


def settle(listener: StreamSocket, connections: int) -> None:
    """Until so many connections are there."""
    while len(listener) != connections:
        assert select.select([listener.fd], [], [], 5)[0]
        listener.receive()


def connected(listener: StreamSocket) -> tuple[Dialled, address.Address]:
    client = Dialled()
    client.send(here(listener), HELLO)
    ((source, datagram),) = take(listener, 1)
    assert datagram == HELLO
    return client, source


def test_datagrams_go_both_ways(listener: StreamSocket) -> None:
    client, source = connected(listener)
    listener.send(source, b"one")
    target = Target(source)
    for i, word in enumerate((b"two", b"three")):
        listener.outbox.buffer[i * STRIDE : i * STRIDE + len(word)] = word
        listener.outbox.sizes[2 * i + 1] = len(word)
        listener.outbox.targets[8 * i] = target.pointer
        listener.outbox.count += 1
    listener.flush()
    assert listener.outbox.count == 0
    received: list[bytes] = []
    while len(received) < 3:
        received += client.datagrams()
    assert received == [b"one", b"two", b"three"]
    client.close()


def test_frames_come_in_any_pieces(listener: StreamSocket) -> None:
    client, source = connected(listener)
    octets = b"".join(len(each).to_bytes(2, "big") + each for each in (b"a", b"", b"bc", b"d" * STRIDE))
    for octet in octets:
        client.send_raw(here(listener), bytes([octet]))
    assert take(listener, 3) == [(source, b"a"), (source, b"bc"), (source, b"d" * STRIDE)]
    client.close()


def test_many_frames_wait_in_the_kernel_and_none_is_lost(listener: StreamSocket) -> None:
    client, _ = connected(listener)
    frames = [i.to_bytes(4, "big") for i in range(1000)]
    client.send_raw(here(listener), b"".join(b"\0\4" + each for each in frames))
    assert [datagram for _, datagram in take(listener, 1000)] == frames
    client.close()


def test_a_frame_longer_than_a_datagram_ends_the_connection(listener: StreamSocket) -> None:
    client, _ = connected(listener)
    client.send_raw(here(listener), (STRIDE + 1).to_bytes(2, "big"))
    settle(listener, 0)
    assert client.has_ended
    client.close()


def test_one_that_does_not_read_loses_its_own_packets_only(listener: StreamSocket) -> None:
    slow, slow_source = connected(listener)
    quick, quick_source = connected(listener)
    for number in range(20_000):
        listener.send(slow_source, bytes(1200))
        if number % 100 == 0:
            listener.send(quick_source, number.to_bytes(4, "big"))
    dropped = listener.unsent
    assert dropped > 10_000
    received: list[int] = []
    while len(received) < 200:
        received += [int.from_bytes(datagram, "big") for datagram in quick.datagrams()]
    assert received == list(range(0, 20_000, 100))
    # When it reads again, whole frames come: one that was begun was finished.
    whole: list[bytes] = []
    while len(whole) < 20_000 - dropped:
        whole += slow.datagrams()
        listener.receive()
    assert set(whole) == {bytes(1200)}
    listener.send(slow_source, b"again")
    assert slow.datagrams() == [b"again"]
    slow.close()
    quick.close()


def test_strangers_are_few_and_have_little_time(listener: StreamSocket) -> None:
    strangers = [Dialled() for _ in range(4)]
    for each in strangers[:3]:
        each.send(here(listener), HELLO)
    known = [source for source, _ in take(listener, 3)]
    strangers[3].send(here(listener), HELLO)
    assert select.select([listener.fd], [], [], 5)[0]
    listener.receive()
    assert strangers[3].has_ended
    assert listener.refused == 1
    listener.prove(known[0])
    assert listener.sweep(100.0) == []
    listener.sweep(100.0 + UNPROVEN_SECONDS + 0.1)
    assert len(listener) == 1
    assert [each.has_ended for each in strangers[1:3]] == [True, True]
    assert listener.sweep(100.0 + SILENT_SECONDS + 0.2) == [known[0]]
    assert len(listener) == 0
    for each in strangers:
        each.close()


def test_when_it_is_full_strangers_give_way_and_known_ones_stay(listener: StreamSocket) -> None:
    clients = []
    for number in range(4):
        client, source = connected(listener)
        clients.append(client)
        if number:
            listener.prove(source)
    late = Dialled()
    late.send(here(listener), HELLO)
    ((source, _),) = take(listener, 1)
    assert clients[0].has_ended
    listener.prove(source)
    too_late = Dialled()
    too_late.send(here(listener), HELLO)
    assert select.select([listener.fd], [], [], 5)[0]
    listener.receive()
    assert too_late.has_ended
    assert len(listener) == 4
    for client in (*clients, late, too_late):
        client.close()


def test_an_ended_connection_is_told_once_and_sent_nothing(listener: StreamSocket) -> None:
    client, source = connected(listener)
    listener.prove(source)
    client.close()
    settle(listener, 0)
    assert listener.sweep(0.0) == [source]
    assert listener.sweep(0.0) == []
    listener.send(source, b"gone")
    assert listener.unsent == 1
    listener.drop(source)


def test_a_known_one_that_speaks_stays(listener: StreamSocket) -> None:
    client, source = connected(listener)
    listener.prove(source)
    for now in range(0, 100, 20):
        client.send(here(listener), HELLO)
        take(listener, 1)
        assert listener.sweep(float(now)) == []
    listener.drop(source)
    assert client.has_ended
    client.close()


def test_octets_that_are_no_frames_end_a_connection_or_are_datagrams(listener: StreamSocket) -> None:
    dice = random.Random(3)
    for _ in range(200):
        client = Dialled()
        client.send_raw(here(listener), dice.randbytes(dice.choice([1, 2, 3, 100, 3000])))
        settle(listener, 1)
        client.close()
        settle(listener, 0)
    assert listener.sweep(0.0) == []
