"""`python -m bench.memory`: what a participant in a room of 10 takes of a server's memory.

    python -m bench.memory [--repeat 3] [--rooms 5] [--servers native janus …] [--json FILE]

A first room has come and talked, so that everything is there that a server needs but once. Then more rooms
come and talk, one after the other, and the growth of what the process holds in RAM is divided by the people.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from bench import servers
from bench.forward import load
from bench.forward.__main__ import close
from bench.forward.load import everybody
from bench.report import store
from bench.report.store import Spread
from bench.servers.choice import choose, running
from bench.servers.server import Participant, Server, resident_bytes

PEOPLE: Final = 10
SECONDS: Final = 1.0


def measure(server: Server, more: int) -> float:
    """MiB a participant."""
    rooms: list[list[Participant]] = []
    sizes = []
    with running(server) as (runner, place):
        try:
            for number in range(more + 1):
                rooms.append(runner.run(load.fill(everybody(PEOPLE), place, f"hall{number}-")))
                load.speak(rooms[-1], SECONDS)
                sizes.append(resident_bytes(place.pid))
        finally:
            close(each for room in rooms for each in room)
    return (sizes[-1] - sizes[0]) / (PEOPLE * more) / (1 << 20)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.memory", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--rooms", type=int, default=5, help="after the first one")
    parser.add_argument("--servers", nargs="+", choices=servers.ALL, default=list(servers.ALL))
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    choice = choose(options.servers, "bench.memory", arguments)
    runs: dict[str, list[float]] = {name: [] for name in choice.servers}
    for _ in range(options.repeat):
        for name, server in choice.servers.items():
            runs[name].append(measure(server, options.rooms))
    for name, each in runs.items():
        print(f"{name:>10}: {Spread.of(each).text(2)} MiB a participant in a room of {PEOPLE}", flush=True)
    if options.json:
        store.write(options.json, {**choice.described(), "runs": runs})


if __name__ == "__main__":
    main(sys.argv[1:])
