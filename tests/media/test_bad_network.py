"""Two clients, each behind a relay that loses chosen packets: what RED and questions bring back.

Each chosen packet is lost once, the first time it comes by, so everything is there in the end however slow
the machine is. How much is there in time, with chance at work, is bench/loss.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bench.loss.peer import Peer
from bench.loss.relay import Loss, none
from media.packet_loop import Drop
from media.worker import Worker
from tests.media.browser import until

PACKETS = 60


class Chosen:
    """Loses the media packets of these places, counted as they first come by, and no repeat of any."""

    def __init__(self, choose: Callable[[int], bool]) -> None:
        self._choose = choose
        self._seen: set[bytes] = set()

    def __call__(self, datagram: bytes) -> bool:
        reports = 64 <= datagram[1] & 0x7F < 96
        if reports or datagram[2:12] in self._seen:
            return False
        self._seen.add(datagram[2:12])
        return self._choose(len(self._seen))


def every_third() -> Loss:
    return Chosen(lambda place: place % 3 == 0)


def four_in_a_row() -> Loss:
    return Chosen(lambda place: place % 10 in (3, 4, 5, 6))


@asynccontextmanager
async def pair(worker: Worker, *, talker_can: bool = True, ear_can: bool = True) -> AsyncIterator[list[Peer]]:
    """A talker and an ear, connected."""
    peers = [Peer(1, resilient=talker_can), Peer(1, resilient=ear_can)]
    loop = asyncio.get_running_loop()
    for name, peer in zip(("talker", "ear"), peers, strict=True):
        await peer.connect(worker.negotiate("room", name, peer.offer(), muted=False).sdp)
        loop.add_reader(peer.socket.fd, peer.listen)
    talker, ear = peers
    try:
        # The first packet is where a stream begins: nobody misses what was before it.
        talker.say()
        await until(lambda: ear.heard)
        yield peers
    finally:
        for peer in peers:
            loop.remove_reader(peer.socket.fd)
            peer.close()


async def talk(talker: Peer, ear: Peer) -> None:
    """Says PACKETS and goes on until all of them were heard: a later packet shows what is missing."""
    for _ in range(PACKETS):
        talker.say()
        await asyncio.sleep(0.002)
    talker.relay.up = ear.relay.down = none

    def everything_was_heard() -> bool:
        talker.say()
        return ear.heard.keys() >= set(range(PACKETS))

    await until(everything_was_heard)


async def test_what_is_lost_on_the_way_to_the_worker(worker: Worker) -> None:
    async with pair(worker) as (talker, ear):
        talker.relay.up = every_third()
        await talk(talker, ear)
        assert talker.relay.lost[0] > PACKETS / 4
        assert worker.forwarder.counters.recovered >= talker.relay.lost[0] - 1
        assert talker.answered == 0


async def test_a_burst_on_the_way_to_the_worker_is_asked_for(worker: Worker) -> None:
    async with pair(worker, ear_can=False) as (talker, ear):
        talker.relay.up = four_in_a_row()
        await talk(talker, ear)
        assert talker.relay.lost[0] > PACKETS / 4
        assert talker.answered > 0


async def test_a_burst_on_the_way_to_the_listener_is_asked_for(worker: Worker) -> None:
    async with pair(worker, talker_can=False) as (talker, ear):
        ear.relay.down = four_in_a_row()
        await talk(talker, ear)
        assert ear.relay.lost[1] > PACKETS / 4
        assert worker.forwarder.counters.repeated >= ear.relay.lost[1]


async def test_losses_on_both_ways(worker: Worker) -> None:
    async with pair(worker) as (talker, ear):
        talker.relay.up, ear.relay.down = four_in_a_row(), every_third()
        await talk(talker, ear)
        assert min(talker.relay.lost[0], ear.relay.lost[1]) > 10


async def test_after_a_mute_nothing_comes_any_more_whatever_is_asked_for(worker: Worker) -> None:
    async with pair(worker) as (talker, ear):
        heard: list[bytes] = []
        asyncio.get_running_loop().remove_reader(ear.socket.fd)
        for _ in range(10):
            talker.say()
        await until(lambda: ear.receive(heard.append) and len(heard) == 10)
        worker.set_muted("room", "talker", True)
        before = worker.forwarder.counters
        forwarded, repeated = before.forwarded, before.repeated
        for _ in range(10):
            talker.say()
        ear.ask(int.from_bytes(heard[0][8:12], "big"), [int.from_bytes(each[2:4], "big") for each in heard])
        await until(lambda: worker.forwarder.counters.drops[Drop.MUTED] == 10)
        await until(lambda: worker.forwarder.counters.drops[Drop.UNKNOWN_REPEAT] == 10)
        after = worker.forwarder.counters
        assert (after.forwarded, after.repeated) == (forwarded, repeated)
        assert ear.receive() == 0
