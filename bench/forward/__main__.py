"""`python -m bench.forward`: CPU a forwarded packet and the delay it adds, with real ICE, DTLS and SRTP, of
our worker and of the servers people could pick instead.

    python -m bench.forward [--seconds 3] [--repeat 5] [--only "room of 10" …] [--servers native janus …]
                             [--json FILE]

Each server is a process of its own, the load is this one, in a network of its own where the machine allows
it. They share the machine, so on two cores nothing else should run. Servers go by turns, so that they meet
the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from bench import servers
from bench.forward import load
from bench.forward.load import Result, Scenario, audience, everybody
from bench.report import store
from bench.report.machine import machine
from bench.report.store import Spread
from bench.servers.server import Participant, Server
from dev import namespace

SCENARIOS: Final = {
    each.name: each
    for each in (
        everybody(5),
        everybody(10),
        everybody(20),
        everybody(5, rooms=20),
        audience(50),
        audience(100),
        audience(500),
    )
}
OURS: Final = ("native", "python")
#: Ten times as dear as ours and more: one run says so.
ONCE: Final = ("werift", "mediarelay")


def measure(scenario: Scenario, server: Server, seconds: float) -> Result:
    """One run, with a server that was just started."""
    with asyncio.Runner() as runner:
        running = server.running(namespace.ADDRESS if namespace.inside() else "127.0.0.1")
        place = runner.run(running.__aenter__())
        participants: list[Participant] = []
        try:
            participants = runner.run(load.fill(scenario, place))
            return load.run(scenario, participants, place.pid, seconds)
        finally:
            for participant in participants:
                for client in participant.clients:
                    client.socket.close()
            runner.run(running.__aexit__(None, None, None))


def show(server: str, results: list[Result]) -> None:
    """One line: the medians, with the spread of the cost."""

    def median(name: str) -> float:
        known = [value for each in results if (value := getattr(each, name)) is not None]
        return Spread.of(known).median if known else float("nan")

    print(
        f"  {server:>10}: {Spread.of(each.cpu_us for each in results).text(1):>22} us/packet, "
        f"{median('rate'):7.0f} packets/s, {median('cpu_share'):4.0%} of a core, "
        f"reached {median('reached'):.1%}, "
        f"delay p50 {median('delay_p50_ms'):.2f} ms p99 {median('delay_p99_ms'):.2f} ms, "
        f"load kept {median('sent_share'):.0%}",
        flush=True,
    )


def compare(
    scenario: Scenario, chosen: dict[str, Server], seconds: float, repeat: int
) -> dict[str, list[Result]]:
    """The runs of each server, made by turns."""
    runs: dict[str, list[Result]] = {name: [] for name in chosen}
    for number in range(repeat):
        for name, server in chosen.items():
            if number == 0 or name not in ONCE:
                runs[name].append(measure(scenario, server, seconds))
    return runs


def able(names: list[str], module: str, arguments: list[str]) -> tuple[dict[str, Server], dict[str, str]]:
    """Those of the servers that run here, and why others do not. Goes on in a network of its own, after what
    they need was fetched."""
    if not namespace.inside():
        for name in names:
            servers.ALL[name].prepare()
        namespace.enter(module, arguments)
    lacking = {name: why for name in names if (why := _lacks(name))}
    for name, why in lacking.items():
        print(f"{name} is left out: {why}")
    return {name: servers.ALL[name] for name in names if name not in lacking}, lacking


def _lacks(name: str) -> str | None:
    if name not in OURS and not namespace.inside():
        return "it uses no loopback address, and no network namespace can be made here"
    return servers.ALL[name].prepare()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.forward", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3, help="how long each run counts")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--servers", nargs="+", choices=servers.ALL, default=list(servers.ALL))
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="put the results there, scenario by scenario"
    )
    options = parser.parse_args(arguments)
    chosen, lacking = able(options.servers, "bench.forward", arguments)
    for name in options.only:
        load_before = os.getloadavg()[0]
        print(f"{name}:")
        runs = compare(SCENARIOS[name], chosen, options.seconds, options.repeat)
        for server, results in runs.items():
            show(server, results)
        if options.json:
            found = {
                "machine": machine(load_before),
                "versions": {name: server.version() for name, server in chosen.items()},
                "left_out": lacking,
                "seconds": options.seconds,
                "runs": {server: [asdict(each) for each in results] for server, results in runs.items()},
            }
            store.merge(options.json, "scenarios", {name: found})


if __name__ == "__main__":
    main(sys.argv[1:])
