"""`python -m bench.forward`: CPU a forwarded packet, with real ICE, DTLS and SRTP, on loopback.

    python -m bench.forward [--seconds 10] [--repeat 3] [--only "5 rooms of 10"] [--json FILE]
                             [--loop python native]

The worker is a process of its own (`python -m media`), the load is this one. Both share the machine, so on
two cores nothing else should run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from bench.forward import load
from bench.forward.client import Client
from bench.forward.load import Result, Scenario

SCENARIOS = (Scenario(1, 5), Scenario(1, 10), Scenario(1, 20), Scenario(5, 10))
GRPC = "127.0.0.1:24779"
TOKEN = "bench"  # noqa: S105  # of a worker that lives for the bench only


@contextmanager
def worker(loop: str | None = None) -> Iterator[int]:
    """A worker process, with this packet loop (None: the one that is set); yields its process id."""
    env = {
        **os.environ,
        "MEDIA_LISTEN": GRPC,
        "MEDIA_HOST": "127.0.0.1",
        "MEDIA_PORT": "24778",
        "SERVICE_TOKEN": TOKEN,
        "LOG_LEVEL": "warning",
    }
    if loop is not None:
        env["MEDIA_LOOP"] = loop
    with subprocess.Popen([sys.executable, "-m", "media"], env=env) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def measure(scenario: Scenario, seconds: float, loop: str) -> Result:
    with worker(loop) as pid:
        clients = asyncio.run(_connect(scenario))
        try:
            return replace(load.run(scenario, clients, pid, seconds), loop=loop)
        finally:
            for client in clients:
                client.socket.close()


async def _connect(scenario: Scenario) -> list[Client]:
    await ready()
    return await load.connect(scenario, GRPC, TOKEN)


async def ready() -> None:
    """Until the worker answers."""
    deadline = time.monotonic() + 10
    while True:
        try:
            _, writer = await asyncio.open_connection(*GRPC.split(":"))
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
        else:
            writer.close()
            await writer.wait_closed()
            return


def show(results: list[Result]) -> None:
    """One line a scenario: the median run by CPU, with the spread."""
    costs = sorted(result.cpu_us for result in results)
    middle = min(results, key=lambda result: abs(result.cpu_us - statistics.median(costs)))
    print(
        f"{middle.scenario:>15}, {middle.loop:>6}: {statistics.median(costs):5.1f} us/packet "
        f"({costs[0]:.1f} … {costs[-1]:.1f}), "
        f"{middle.rate:7.0f} packets/s, worker {middle.cpu_share:4.0%} of a core, lost {middle.lost} of "
        f"{middle.forwarded}, delay p50 {middle.delay_p50_ms:.2f} ms p99 {middle.delay_p99_ms:.2f} ms, "
        f"load kept {middle.sent_share:.0%}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.forward", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--only", choices=[each.name for each in SCENARIOS])
    parser.add_argument("--loop", nargs="+", choices=("python", "native"), default=["python", "native"])
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    everything: list[Result] = []
    for scenario in SCENARIOS:
        if arguments.only in (None, scenario.name):
            # By turns, so that they meet the same machine.
            results = [
                measure(scenario, arguments.seconds, loop)
                for _ in range(arguments.repeat)
                for loop in arguments.loop
            ]
            everything += results
            for loop in arguments.loop:
                show([each for each in results if each.loop == loop])
    if arguments.json:
        report = {"machine": machine(load_before), "results": [asdict(result) for result in everything]}
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


def machine(load_before: float) -> dict[str, object]:
    """Where a result was measured, and how busy it was before."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_before": load_before,
    }


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
