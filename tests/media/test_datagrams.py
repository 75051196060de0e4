"""Sockets that move many datagrams a call, and the same without those calls."""

import pytest

from media import address, datagrams
from media.datagrams import INBOX, OUTBOX, STRIDE, DatagramSocket, Target
from tests.media.hosts import HOSTS

WAYS = [True, False] if datagrams.BATCHED else [False]


@pytest.fixture(params=WAYS, ids=lambda batched: "batched" if batched else "singly")
def batched(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "BATCHED", request.param)


@pytest.fixture(params=HOSTS)
def pair(request: pytest.FixtureRequest, batched: None) -> tuple[DatagramSocket, DatagramSocket]:
    return DatagramSocket(request.param, 0), DatagramSocket(request.param, 0)


def put(sender: DatagramSocket, target: Target, datagram: bytes) -> None:
    outbox = sender.outbox
    at = outbox.count * STRIDE
    outbox.buffer[at : at + len(datagram)] = datagram
    outbox.sizes[2 * outbox.count + 1] = len(datagram)
    outbox.targets[8 * outbox.count] = target.pointer
    outbox.count += 1


def arrived(receiver: DatagramSocket) -> list[bytes]:
    found: list[bytes] = []
    while count := receiver.receive():
        inbox = receiver.inbox
        found += [bytes(inbox.buffer[i * STRIDE : i * STRIDE + inbox.sizes[i]]) for i in range(count)]
    return found


def test_a_batch_arrives_in_order_and_says_where_it_came_from(
    pair: tuple[DatagramSocket, DatagramSocket],
) -> None:
    sender, receiver = pair
    target = Target(address.pack(receiver.host, receiver.port))
    sent = [b"%d" % number * (number + 1) for number in range(INBOX + 10)]
    for datagram in sent:
        put(sender, target, datagram)
    sender.flush()
    assert sender.outbox.count == 0
    assert arrived(receiver) == sent
    assert address.unpack(receiver.inbox.source(0)) == (sender.host, sender.port)
    assert receiver.receive() == 0
    sender.close()
    receiver.close()


def test_an_address_that_cannot_be_reached_costs_the_others_nothing(batched: None) -> None:
    sender, receiver = DatagramSocket("127.0.0.1", 0), DatagramSocket("127.0.0.1", 0)
    good = Target(address.pack("127.0.0.1", receiver.port))
    bad = Target(address.pack("255.255.255.255", 9))  # refused without SO_BROADCAST
    for number in range(9):
        put(sender, bad if number % 3 == 0 else good, b"%d" % number)
    sender.flush()
    assert arrived(receiver) == [b"1", b"2", b"4", b"5", b"7", b"8"]
    assert sender.unsent == 3
    sender.close()
    receiver.close()


def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    first = DatagramSocket("127.0.0.1", 0)
    with pytest.raises(OSError, match="in use"):
        DatagramSocket("127.0.0.1", first.port)
    first.close()


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 24780), ("2001:db8::7", 1), ("255.0.255.0", 65535)])
def test_an_address_reads_back(host: str, port: int) -> None:
    assert address.unpack(address.pack(host, port)) == (host, port)


def test_the_outbox_holds_a_room_and_its_memory_is_bounded() -> None:
    assert OUTBOX * STRIDE <= 1 << 20
