"""`python -m bench.memory`: what a participant in a room of 10 takes of a server's memory.

    python -m bench.memory [--repeat 3] [--servers native janus …] [--json FILE]

A first room has come and talked, so that everything is there that a server needs but once. Then more rooms
come and talk, one after the other, and the growth of what the process holds in RAM is divided by the people.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from bench import servers
from bench.forward import load
from bench.forward.__main__ import able
from bench.forward.load import everybody
from bench.report import store
from bench.report.machine import machine
from bench.report.store import Spread
from bench.servers.server import Participant, Server, resident_bytes
from dev import namespace

PEOPLE: Final = 10
ROOMS: Final = 5
SECONDS: Final = 1.0


def measure(server: Server) -> float:
    """MiB a participant."""
    with asyncio.Runner() as runner:
        running = server.running(namespace.ADDRESS if namespace.inside() else "127.0.0.1")
        place = runner.run(running.__aenter__())
        rooms: list[list[Participant]] = []
        try:
            sizes = []
            for number in range(ROOMS + 1):
                rooms.append(runner.run(load.fill(everybody(PEOPLE), place, f"hall{number}-")))
                load.speak(rooms[-1], SECONDS)
                sizes.append(resident_bytes(place.pid))
        finally:
            for participant in (each for room in rooms for each in room):
                for client in participant.clients:
                    client.socket.close()
            runner.run(running.__aexit__(None, None, None))
    return (sizes[-1] - sizes[0]) / (PEOPLE * ROOMS) / (1 << 20)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.memory", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--servers", nargs="+", choices=servers.ALL, default=list(servers.ALL))
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    chosen, lacking = able(options.servers, "bench.memory", arguments)
    load_before = os.getloadavg()[0]
    runs: dict[str, list[float]] = {name: [] for name in chosen}
    for _ in range(options.repeat):
        for name, server in chosen.items():
            runs[name].append(measure(server))
    for name, each in runs.items():
        print(f"{name:>10}: {Spread.of(each).text(2)} MiB a participant in a room of {PEOPLE}", flush=True)
    if options.json:
        found = {
            "machine": machine(load_before),
            "versions": {name: server.version() for name, server in chosen.items()},
            "left_out": lacking,
            "runs": runs,
        }
        store.write(options.json, found)


if __name__ == "__main__":
    main(sys.argv[1:])
