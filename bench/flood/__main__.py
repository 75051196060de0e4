"""`python -m bench.flood`: what people in one room notice of a flood into another.

    python -m bench.flood [--seconds 20] [--times 10] [--people 5] [--burst-ms 2] [--first]

A room of 5 talks, and the delay of each packet that one of them hears is measured. In every other second the
worker is flooded: in another room, of `people`, somebody sends ten times what a participant may, in packets
and in octets, and strangers send as much again that is no voice at all. The worker and the flood are
processes of their own. With `--first` (root's) worker and measurement go before all else that runs here.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import time
from pathlib import Path
from typing import Final

from bench.flood.flooder import connect, flood
from bench.forward import load
from bench.forward.arrivals import Arrivals
from bench.servers.ours import worker

_PEOPLE: Final = 5
_TURN: Final = 1.0
_WORKER_FIRST: Final = 50


def run(
    seconds: float, people: int, times: int, burst: float, *, first: bool
) -> tuple[tuple[list[float], list[float]], tuple[int, int]]:
    """Without the flood and with it: the delays, sorted, and how many packets were lost."""
    context = multiprocessing.get_context("spawn")
    on, connected, over = context.Event(), context.Event(), context.Event()
    with worker() as server:
        participants = asyncio.run(connect(server, _PEOPLE, "room"))
        ears = [each.ears for each in participants if each.ears is not None]
        arrivals = Arrivals(ears[0])
        flooding = context.Process(target=flood, args=(server, people, times, burst, on, connected, over))
        flooding.start()
        try:
            if not connected.wait(20):
                raise TimeoutError("the flood could not connect")
            if first:
                go_first(server.pid, _WORKER_FIRST)
                go_first(os.getpid(), _WORKER_FIRST - 1)
            load.speak(participants, 1.0)
            delays: tuple[list[float], list[float]] = [], []
            lost = [0, 0]
            for turn in range(round(seconds / _TURN)):
                flooded = turn % 2
                (on.set if flooded else on.clear)()
                time.sleep(0.1)
                arrivals.delays.clear()
                for client in ears:
                    client.streams.clear()
                load.speak(participants, _TURN)
                delays[flooded].extend(arrivals.delays)
                lost[flooded] += sum(each.lost for client in ears for each in client.streams.values())
            return (sorted(delays[0]), sorted(delays[1])), (lost[0], lost[1])
        finally:
            over.set()
            flooding.join(10)
            for client in ears:
                client.socket.close()


def go_first(pid: int, priority: int) -> None:
    """All threads of the process, before whatever has no such priority. Raises PermissionError."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setscheduler(int(thread.name), os.SCHED_FIFO, os.sched_param(priority))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.flood", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--people", type=int, default=5)
    parser.add_argument("--burst-ms", type=int, default=2)
    parser.add_argument("--first", action="store_true")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    (quiet, flooded), lost = run(
        arguments.seconds,
        arguments.people,
        arguments.times,
        arguments.burst_ms / 1000,
        first=arguments.first,
    )
    for name, delays, missing in (("quiet", quiet, lost[0]), ("flooded", flooded, lost[1])):
        p50, p99 = (delays[len(delays) * percent // 100] * 1e3 for percent in (50, 99))
        print(f"{name:>8}: delay p50 {p50:.2f} ms, p99 {p99:.2f} ms, of {len(delays):,}; lost {missing}")
    ratio = flooded[len(flooded) * 99 // 100] / quiet[len(quiet) * 99 // 100]
    print(f"p99 with the flood is {ratio:.2f} of that without; load of the machine before: {load_before:.1f}")


if __name__ == "__main__":
    main()
