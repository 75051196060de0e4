"""`python -m bench.capacity`: rooms of ten where three talk at once, more and more of them on one worker.

    python -m bench.capacity [--rooms 10 20 40 80] [--repeat 1] [--seconds 5] [--json FILE]

Everybody is connected as in `bench.forward`, by the same load. What grows is what the worker takes; where
packets come late or not at all is where it ends, or where the load process does: `load kept` tells.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from bench.forward.__main__ import compare, show
from bench.forward.load import study_rooms
from bench.report import store
from bench.servers.choice import OURS, choose


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.capacity", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rooms", type=int, nargs="+", default=[10, 20, 40, 80])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--servers", nargs="+", choices=OURS, default=list(OURS))
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    choice = choose(options.servers, "bench.capacity", arguments)
    steps = []
    for rooms in options.rooms:
        scenario = study_rooms(rooms)
        print(f"{scenario.name}:")
        runs = compare(scenario, choice.servers, options.seconds, options.repeat)
        for name, results in runs.items():
            show(name, results)
        steps.append(
            {
                "people": rooms * scenario.people,
                "speaking": rooms * scenario.speaking,
                "rooms": rooms,
                "runs": {name: [asdict(each) for each in results] for name, results in runs.items()},
            }
        )
    if options.json:
        store.write(options.json, {**choice.described(), "steps": steps})


if __name__ == "__main__":
    main(sys.argv[1:])
