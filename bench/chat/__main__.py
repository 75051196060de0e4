"""`python -m bench.chat`: what a message to everybody costs, how soon it is saved, what a connection weighs.

    python -m bench.chat [--seconds 5] [--repeat 3] [--only fanout,acks] [--node-modules DIR] [--json FILE]

The servers are processes of their own, the load is this one. They share the machine, so on two cores nothing
else should run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
from pathlib import Path
from typing import Any

from bench.chat import measures, servers
from bench.report import store
from bench.report.machine import machine
from common.lifecycle import loop_factory

NAMES = ("fanout", "acks", "commits", "frozen", "idle")
FILES = 12_000  # descriptors: 10,000 sockets, and what else a process has open


async def bench(options: argparse.Namespace, modules: Path | None) -> dict[str, Any]:
    wanted = options.only.split(",") if options.only else NAMES
    found: dict[str, Any] = {}
    for name in wanted:
        if name == "fanout":
            found[name] = await measures.fanout(options.seconds, options.repeat, modules)
        elif name == "idle":
            found[name] = await measures.idle(options.connections)
        else:
            found[name] = await getattr(measures, name)(options.seconds)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.chat", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each scenario runs")
    parser.add_argument("--repeat", type=int, default=3, help="rounds of the fan-out; the median counts")
    parser.add_argument("--only", default="", help=", ".join(NAMES))
    parser.add_argument("--connections", type=int, default=10_000, help="idle ones, for their memory")
    parser.add_argument("--node-modules", type=Path, help="where ws and socket.io are installed already")
    parser.add_argument("--json", type=Path, help="write the results here too")
    options = parser.parse_args()
    before = os.getloadavg()[0]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < FILES:
        print(f"This machine allows {most} open files a process: fewer idle connections are measured.")
        options.connections = min(options.connections, most - 2000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with (
        servers.node_modules(options.node_modules) as modules,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        found = runner.run(bench(options, modules))
        found["versions"] = servers.versions(modules)
    if options.json:
        store.update(options.json, {**found, "machine": machine(before)})


if __name__ == "__main__":
    main()
