"""`python -m bench.noise`: bent RTP, RTCP, STUN and DTLS; a worker must not stumble, nor grow.

    python -m bench.noise [--datagrams 1000000] [--seed 1]

The worker runs in this process, so that each datagram is known to have been taken, and nothing it does not
catch goes unseen. Half of them come from strangers, half from a participant's own address, many of these
authentic. Two others of the room must hear each other at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.forward.client import Client
from bench.noise.mutants import Insider, Mutants
from common import log
from media.datagrams import DatagramSocket
from media.loops import choose
from media.packet_loop import Drop, MakeLoop, Rates
from media.worker import Limits, Worker

_HOST: Final = "127.0.0.1"
#: Sent before the worker has its turn: fewer than its socket holds.
_BATCH: Final = 64
#: Then the insider comes anew: another handshake, other keys, SSRCs that count afresh.
_LIFE: Final = 20_000
#: How often the worker's memory is looked at. The first time it has grown to what it needs.
_LOOKS: Final = 10


@dataclass(frozen=True)
class Report:
    """`uncaught` are errors that reached the event loop; `memory` in MiB, after each tenth."""

    datagrams: int
    seconds: float
    uncaught: list[str]
    memory: list[float]
    heard: int
    said: int
    drops: dict[str, int]


async def run(datagrams: int, seed: int, packet_loop: MakeLoop) -> Report:
    uncaught: list[str] = []

    def complain(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        uncaught.append(repr(context.get("exception") or context["message"]))

    asyncio.get_running_loop().set_exception_handler(complain)
    no_limit = Rates(packets=10**9, octets=10**12, checks=10**9, records=10**9)
    worker = Worker([DatagramSocket(_HOST, 0)], limits=Limits(rates=no_limit), packet_loop=packet_loop)
    async with worker.running():
        ann, bob = Client(slots=2), Client(slots=2)
        for name, client in (("ann", ann), ("bob", bob)):
            await client.connect(worker.negotiate("room", name, client.offer(), muted=False).sdp)
        outside = [DatagramSocket(_HOST, 0) for _ in range(8)]
        memory: list[float] = []
        done, began = 0, time.monotonic()
        while done < datagrams:
            # At a new address: answers to the last one's noise would be taken for parts of this handshake.
            inside = DatagramSocket(_HOST, 0)
            eve = Insider(inside)
            await eve.connect(worker.negotiate("room", "eve", eve.offer(), muted=False).sdp)
            mutants = Mutants(eve, seed + done)
            for _ in range(min(_LIFE, datagrams - done)):
                datagram = mutants.next()
                (inside if done % 2 else outside[done // 2 % 8]).send(eve.server, datagram)
                done += 1
                if done % _BATCH == 0:
                    await asyncio.sleep(0)
                    for each in (inside, *outside):
                        each.receive()
                if done % 1000 == 0:
                    ann.check()
                    bob.check()
                    bob.receive()
                if done * _LOOKS >= datagrams * (len(memory) + 1):
                    memory.append(_memory())
            inside.close()
        seconds = time.monotonic() - began
        worker.close("room", "eve")
        heard, said = await _heard(ann, bob)
        for each in outside:
            each.close()
        ann.socket.close()
        bob.socket.close()
    drops = dict(zip((drop.name for drop in Drop), worker.forwarder.counters.drops, strict=True))
    return Report(done, seconds, uncaught, memory, heard, said, drops)


async def _heard(ann: Client, bob: Client) -> tuple[int, int]:
    """Of 50 packets of Ann's, how many Bob gets."""
    bob.receive()
    heard = 0
    for _ in range(50):
        ann.send(b"opus")
        await asyncio.sleep(0.002)
        heard += bob.receive()
    for _ in range(100):
        if heard >= 50:
            break
        await asyncio.sleep(0.01)
        heard += bob.receive()
    return heard, 50


def _memory() -> float:
    gc.collect()  # what is only waiting to be collected is no growth
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / (1 << 20)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.noise", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--datagrams", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--loop", choices=("auto", "python", "native"), default="auto")
    arguments = parser.parse_args()
    log.configure("bench", level="error")
    report = asyncio.run(run(arguments.datagrams, arguments.seed, choose(arguments.loop)))
    rate = report.datagrams / report.seconds
    memory = " ".join(f"{each:.1f}" for each in report.memory)
    print(
        f"{report.datagrams:,} datagrams in {report.seconds:.0f} s, {rate:,.0f} a second;"
        f" uncaught: {len(report.uncaught)}; MiB after each tenth: {memory};"
        f" then {report.heard} of {report.said} packets heard"
    )
    print(
        "dropped: " + ", ".join(f"{name.lower()} {count:,}" for name, count in report.drops.items() if count)
    )
    for each in report.uncaught[:10]:
        print("uncaught:", each)


if __name__ == "__main__":
    main()
