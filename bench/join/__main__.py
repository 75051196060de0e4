"""`python -m bench.join`: from the offer to the first packet of voice, on one machine.

    python -m bench.join [--joins 50] [--repeat 5] [--servers native janus …] [--json FILE]

The server is a process of its own, the load is this one: a speaker who sends a packet every 2.5 ms, and one
listener after the other who asks to come in, does ICE and DTLS, and waits for a packet that it can decrypt.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path
from typing import Final

from bench import servers
from bench.forward.client import Client
from bench.forward.load import VOICE
from bench.report import store
from bench.report.store import Spread
from bench.servers.choice import address, choose
from bench.servers.server import Running, Server

PERIOD: Final = 0.0025
#: MediaRelay says everything in real time, so it cannot be asked that often.
NAMES: Final = [name for name in servers.ALL if name != "mediarelay"]


async def join(place: Running, number: int) -> float:
    """Milliseconds until somebody who comes hears a packet."""
    began = time.perf_counter()
    listener = await place.enter("room", f"listener{number}", speaks=False, hears=1)
    await place.settle()
    ears = listener.ears
    if ears is None:
        raise RuntimeError("who came to listen has nothing to hear by")
    heard = asyncio.Event()

    def readable() -> None:
        if ears.receive(lambda _: heard.set()):
            loop.remove_reader(ears.socket.fd)

    loop = asyncio.get_running_loop()
    loop.add_reader(ears.socket.fd, readable)
    async with asyncio.timeout(10):
        await heard.wait()
    took = time.perf_counter() - began
    await place.leave("room", f"listener{number}")
    ears.socket.close()
    return took * 1e3


async def speak(speaker: Client) -> None:
    while True:
        speaker.send(VOICE)
        speaker.receive()
        await asyncio.sleep(PERIOD)


async def measure(server: Server, joins: int) -> list[float]:
    """The times of so many, one after the other."""
    async with server.running(address()) as place:
        speaker = (await place.enter("room", "speaker", speaks=True, hears=0)).mouth
        if speaker is None:
            raise RuntimeError("who came to speak has nothing to speak by")
        speaking = asyncio.create_task(speak(speaker))
        try:
            return [await join(place, number) for number in range(joins)]
        finally:
            speaking.cancel()
            speaker.socket.close()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.join", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--joins", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--servers", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    choice = choose(options.servers, "bench.join", arguments)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in choice.servers}
    for _ in range(options.repeat):
        for name, server in choice.servers.items():
            times = asyncio.run(measure(server, options.joins))
            cuts = statistics.quantiles(times, n=20, method="inclusive")
            runs[name].append({"p50_ms": cuts[9], "p95_ms": cuts[18]})
    for name, each in runs.items():
        p50, p95 = (Spread.of(run[key] for run in each) for key in ("p50_ms", "p95_ms"))
        print(
            f"{name:>10}: first packet p50 {p50.text(1)} ms, p95 {p95.text(1)} ms after the offer", flush=True
        )
    if options.json:
        store.write(options.json, {**choice.described(), "joins": options.joins, "runs": runs})


if __name__ == "__main__":
    main(sys.argv[1:])
