"""`python -m bench.loss`: what a voice loses on a bad network, and what of it comes after all.

    python -m bench.loss [--seconds 15] [--pairs 10] [--json FILE]

The worker is a process of its own. Each talker and each ear has a relay between itself and the worker,
which loses packets on its leg, in both directions.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import grpc

from bench.loss import relay
from bench.loss.peer import Peer
from bench.report import store
from bench.report.machine import machine
from bench.servers.ours import negotiate, worker
from proto import media_pb2_grpc

#: One way, on each leg, seconds.
DELAY = 0.02
FRAME = 0.02
#: A packet that comes later than this after it was said is of no use; a browser's buffer grows so far.
USEFUL = (0.15, 0.3)
BURST = 3.0
#: Frames from one connectivity check of a client to the next, as browsers do: 4 s.
CONSENT = 200


@dataclass(frozen=True)
class Scenario:
    """`leg`: up, down or both; `kind`: scattered or bursts, of `rate` of the packets."""

    leg: str
    kind: str
    rate: float
    resilient: bool

    @property
    def name(self) -> str:
        tools = "RED, NACK" if self.resilient else "nothing"
        return f"{self.rate:.0%} {self.kind} {self.leg}, {tools}"

    def loss(self, seed: int) -> relay.Loss:
        if self.kind == "bursts":
            return relay.bursts(self.rate, BURST, seed)
        return relay.scattered(self.rate, seed)


@dataclass(frozen=True)
class Result:
    """Shares of what was said: lost by the relays on the legs (each first sending and repeat counted), and
    residual at the listener when a packet may take so long, or any time."""

    scenario: str
    said: int
    lost_on_the_way: float
    residual_150ms: float
    residual_300ms: float
    residual: float
    delay_p50_ms: float
    delay_p99_ms: float


async def measure(scenario: Scenario, pairs: int, seconds: float, worker: str) -> Result:
    peers: list[tuple[Peer, Peer]] = []
    async with grpc.aio.insecure_channel(worker) as channel:
        stub: media_pb2_grpc.MediaAsyncStub = media_pb2_grpc.MediaStub(channel)
        for room in range(pairs):
            pair = (
                Peer(1, resilient=scenario.resilient, delay=DELAY),
                Peer(1, resilient=scenario.resilient, delay=DELAY),
            )
            for name, peer in zip(("talker", "ear"), pair, strict=True):
                await peer.connect(await negotiate(stub, f"room{room}", name, peer.offer()))
            peers.append(pair)
    loop = asyncio.get_running_loop()
    for pair in peers:
        for peer in pair:
            loop.add_reader(peer.socket.fd, peer.listen)
    await _talk(peers, 0.2)
    start = [talker.said for talker, _ in peers]
    for seed, (talker, ear) in enumerate(peers):
        if scenario.leg in ("up", "both"):
            talker.relay.up, talker.relay.down = scenario.loss(seed), scenario.loss(1000 + seed)
        if scenario.leg in ("down", "both"):
            ear.relay.down, ear.relay.up = scenario.loss(2000 + seed), scenario.loss(3000 + seed)
    await _talk(peers, seconds)
    end = [talker.said for talker, _ in peers]
    # The last ones are shown to be missing by those that follow.
    await _talk(peers, 1.0)
    for pair in peers:
        for peer in pair:
            loop.remove_reader(peer.socket.fd)
    return _result(scenario, peers, start, end)


async def _talk(peers: list[tuple[Peer, Peer]], seconds: float) -> None:
    """Each talker says a packet each 20 ms, one after the other; and everybody checks their way now and then,
    since a listener who says nothing at all is given up after 15 s."""
    began = time.monotonic()
    for turn in range(round(seconds / FRAME)):
        for place, pair in enumerate(peers):
            due = began + (turn + place / len(peers)) * FRAME
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            pair[0].say()
            if turn % CONSENT == 0:
                for peer in pair:
                    peer.check()


def _result(scenario: Scenario, peers: list[tuple[Peer, Peer]], start: list[int], end: list[int]) -> Result:
    delays: list[float] = []
    said = 0
    for (_, ear), first, last in zip(peers, start, end, strict=True):
        said += last - first
        delays += [ear.heard[number] for number in range(first, last) if number in ear.heard]
    delays.sort()
    ways = [
        (peer.relay.seen[way], peer.relay.lost[way])
        for (talker, ear) in peers
        for peer, way in ((talker, 0), (ear, 1))
        if peer.relay.lost[way]
    ]
    for pair in peers:
        for peer in pair:
            peer.close()

    def residual(most: float) -> float:
        return 1 - sum(delay <= most for delay in delays) / said

    return Result(
        scenario.name,
        said,
        sum(lost for _, lost in ways) / max(1, sum(seen for seen, _ in ways)),
        residual(USEFUL[0]),
        residual(USEFUL[1]),
        residual(float("inf")),
        delays[len(delays) // 2] * 1e3,
        delays[len(delays) * 99 // 100] * 1e3,
    )


def show(result: Result) -> None:
    print(
        f"{result.scenario:>36}: lost on the way {result.lost_on_the_way:5.1%}, residual "
        f"{result.residual_150ms:6.2%} at 150 ms, {result.residual_300ms:6.2%} at 300 ms, "
        f"{result.residual:6.2%} ever; delay p50 {result.delay_p50_ms:.0f}, p99 {result.delay_p99_ms:.0f} ms",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.loss", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    results = []
    kinds = (("scattered", 0.1), ("bursts", 0.2))
    for resilient, leg, (kind, rate) in itertools.product((True, False), ("up", "down", "both"), kinds):
        with worker() as server:
            scenario = Scenario(leg, kind, rate, resilient)
            measured = measure(scenario, arguments.pairs, arguments.seconds, server.address)
            results.append(asyncio.run(measured))
        show(results[-1])
    if arguments.json:
        report = {"machine": machine(load_before), "results": [asdict(result) for result in results]}
        store.write(arguments.json, report)


if __name__ == "__main__":
    main()
