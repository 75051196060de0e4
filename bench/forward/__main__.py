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
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from bench import servers
from bench.forward import load
from bench.forward.load import Result, Scenario, audience, everybody
from bench.report import store
from bench.report.store import Spread
from bench.servers.choice import OURS, choose, running
from bench.servers.server import Participant, Server

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
#: Ten times as dear as ours and more: one run says so.
ONCE: Final = ("werift", "mediarelay")


def measure(scenario: Scenario, server: Server, seconds: float) -> Result:
    """One run, with a server that was just started."""
    participants: list[Participant] = []
    with running(server) as (runner, place):
        try:
            participants = runner.run(load.fill(scenario, place))
            return load.run(scenario, participants, place.pid, seconds)
        finally:
            close(participants)


def close(participants: Iterable[Participant]) -> None:
    """Their sockets."""
    for participant in participants:
        for client in participant.clients:
            client.socket.close()


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
            if number and name in ONCE:
                continue
            try:
                runs[name].append(measure(scenario, server, seconds))
            except Exception as failure:
                if name in OURS:
                    raise
                # Somebody else's server has a bad moment: the others are measured all the same.
                print(f"{name}, a run is missing: {failure or type(failure).__name__}", file=sys.stderr)
    return {name: each for name, each in runs.items() if each}


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
    choice = choose(options.servers, "bench.forward", arguments)
    for name in options.only:
        print(f"{name}:")
        runs = compare(SCENARIOS[name], choice.servers, options.seconds, options.repeat)
        for server, results in runs.items():
            show(server, results)
        if options.json:
            found = {
                **choice.described(),
                "seconds": options.seconds,
                "runs": {server: [asdict(each) for each in results] for server, results in runs.items()},
            }
            store.merge(options.json, "scenarios", {name: found})


if __name__ == "__main__":
    main(sys.argv[1:])
