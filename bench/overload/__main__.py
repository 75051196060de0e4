"""`python -m bench.overload`: what one worker's packet thread carries, with and without its overload mode.

    python -m bench.overload [--rooms 1 5 10 15] [--people 20] [--sizes 120 120] [--seconds 5] [--repeat 1]
                             [--modes never always auto] [--json FILE]

The worker is a process of its own (`python -m media`). Everybody speaks, 50 packets a second each. What the
listeners get is thrown away by their kernel, but for one, who measures delay and loss: the load process would
be full before the worker is.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import math
import os
import random
import re
import socket
import statistics
import struct
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.forward import load
from bench.forward.arrivals import Arrivals
from bench.forward.client import Client, stamped
from bench.forward.load import PACKETS_PER_SECOND, Scenario, everybody
from bench.report.machine import machine
from bench.servers import ours
from bench.servers.server import Participant, cpu_seconds
from dev.ports import free_port

#: Linux's SO_ATTACH_FILTER, and a filter of one instruction: keep no octet.
_ATTACH_FILTER = 26
_KEEP_NOTHING = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
#: The load is paced in steps of so many seconds.
_STEP = 0.001


@dataclass(frozen=True)
class Result:
    """`cpu_us` is CPU time of the whole worker for a packet it sent. `unread` is the share of what was said
    that the worker's kernel dropped, `lost` of what the one listener should have got, `segments` of the
    packets that were sent together with others."""

    scenario: str
    mode: str
    cpu_us: float
    cpu_share: float
    rate: float
    unread: float
    lost: float
    segments: float
    delay_p50_ms: float
    delay_p99_ms: float
    sent_share: float


def measure(scenario: Scenario, mode: str, sizes: tuple[int, int], seconds: float) -> Result:
    page = f"127.0.0.1:{free_port()}"
    with ours.worker("native", MEDIA_OVERLOAD=mode, METRICS_LISTEN=page) as worker:
        clients = [each.ears for each in asyncio.run(_fill(scenario, worker)) if each.ears is not None]
        try:
            probe, *others = clients
            for each in others:
                deafen(each)
            speak(clients, 2.0, sizes)  # the load is measured, too
            probe.streams.clear()
            arrivals = Arrivals(probe)
            before, used, started = _figures(page), cpu_seconds(worker.pid), time.monotonic()
            sent = speak(clients, seconds, sizes)
            took, used = time.monotonic() - started, cpu_seconds(worker.pid) - used
            time.sleep(0.1)
            probe.receive()
            now = {name: value - before.get(name, 0) for name, value in _figures(page).items()}
        finally:
            for client in clients:
                client.socket.close()
    forwarded = now["cwrk_media_packets_forwarded_total"]
    missed = sum(each.lost for each in probe.streams.values())
    heard = sum(each.packets for each in probe.streams.values())
    delays = sorted(arrivals.delays) or [math.nan]  # of a worker so late that nothing came
    return Result(
        scenario=scenario.name,
        mode=mode,
        cpu_us=used / forwarded * 1e6,
        cpu_share=used / took,
        rate=forwarded / took,
        unread=now['cwrk_media_packets_dropped_total{reason="unread"}'] / sent,
        lost=missed / (missed + heard) if heard else 1.0,
        segments=now["cwrk_media_overload_segments_total"] / forwarded,
        delay_p50_ms=delays[len(delays) // 2] * 1e3,
        delay_p99_ms=delays[len(delays) * 99 // 100] * 1e3,
        sent_share=sent / (len(clients) * PACKETS_PER_SECOND * seconds),
    )


async def _fill(scenario: Scenario, worker: ours.Worker) -> list[Participant]:
    async with ours.rooms(worker) as rooms:
        return await load.fill(scenario, rooms)


def deafen(client: Client) -> None:
    """The kernel throws away what comes to its socket."""
    with socket.socket(fileno=os.dup(client.socket.fd)) as its:
        its.setsockopt(
            socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(_KEEP_NOTHING))
        )


def _figures(page: str) -> dict[str, float]:
    with urllib.request.urlopen(f"http://{page}/metrics", timeout=10) as answer:
        found = re.findall(r"^(cwrk_media_\S+) (\S+)$", answer.read().decode(), re.MULTILINE)
    return {name: float(value) for name, value in found}


def speak(clients: list[Client], seconds: float, sizes: tuple[int, int]) -> int:
    """Everybody speaks, each with a phase of its own; how many packets were sent."""
    dice = random.Random(1)
    steps = round(1 / PACKETS_PER_SECOND / _STEP)
    turns: list[list[Client]] = [[] for _ in range(steps)]
    for client in clients:
        dice.choice(turns).append(client)
    start, probe, sent = time.monotonic(), clients[0], 0
    step = 0
    while (at := start + step * _STEP) < start + seconds:
        for client in turns[step % steps]:
            client.send(stamped(dice.randint(*sizes), time.time_ns()))
            sent += 1
        probe.receive()
        step += 1
        while (left := at + _STEP - time.monotonic()) > 0:
            time.sleep(min(left, 0.0003))
            probe.receive()
        if left < -0.1:  # the load process has not kept up: what it did not say is not said all at once
            step += int(-left / _STEP)
    return sent


def show(results: list[Result]) -> None:
    def median(name: str) -> float:
        return float(statistics.median(getattr(each, name) for each in results))

    costs = sorted(each.cpu_us for each in results)
    print(
        f"{results[0].scenario:>15}, {results[0].mode:>6}: {median('cpu_us'):4.2f} us/packet "
        f"({costs[0]:.2f} … {costs[-1]:.2f}), {median('rate'):7.0f} packets/s, "
        f"worker {median('cpu_share'):4.0%} of a core, unread {median('unread'):.2%}, "
        f"lost {median('lost'):.2%}, together {median('segments'):.0%}, "
        f"delay p50 {median('delay_p50_ms'):.2f} ms p99 {median('delay_p99_ms'):.2f} ms, "
        f"load kept {median('sent_share'):.0%}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.overload", description=__doc__.splitlines()[0])
    parser.add_argument("--rooms", type=int, nargs="+", default=[1, 5, 10, 15])
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs=2, default=(120, 120), metavar=("FROM", "TO"))
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--repeat", type=int, default=1)
    modes = ("never", "always", "auto")
    parser.add_argument("--modes", nargs="+", choices=modes, default=modes)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    everything: list[Result] = []
    for rooms in arguments.rooms:
        scenario = everybody(arguments.people, rooms)
        # By turns, so that they meet the same machine.
        results = [
            measure(scenario, mode, tuple(arguments.sizes), arguments.seconds)
            for _ in range(arguments.repeat)
            for mode in arguments.modes
        ]
        everything += results
        for mode in arguments.modes:
            show([each for each in results if each.mode == mode])
    if arguments.json:
        report = {"machine": machine(load_before), "sizes": arguments.sizes}
        report |= {"results": [asdict(result) for result in everything]}
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
