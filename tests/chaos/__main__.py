"""`make chaos-log`: the long run, and what a dead Valkey costs.

SEED=, SENDS=, CLIENTS=, ROOMS= and TIMES= (how often each fault comes) set it.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time

# As tests/conftest.py: we fork only to start other programs. Read when gRPC is imported.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

from common.lifecycle import loop_factory
from tests.chaos import across
from tests.chaos import cluster as clusters
from tests.chaos.run import Settings, running

LATENCY_MESSAGES = 300
LATENCY_BAR_MS = 1000


def number(name: str, default: int) -> int:
    """A setting of the run."""
    return int(os.environ.get(name) or default)


async def chaos() -> None:
    """The run. Raises AssertionError where a promise was broken."""
    settings = Settings(
        seed=number("SEED", random.randrange(2**32)),
        clients=number("CLIENTS", 50),
        rooms=number("ROOMS", 10),
        sends=number("SENDS", 100_000),
        times=number("TIMES", 3),
        at_once=3,
        hold=(0.5, 7.0),
    )
    print(settings, flush=True)
    began = time.monotonic()
    async with running(settings) as run:
        try:
            await run.through()
        finally:
            print(f"\nSEED={settings.seed}, after {time.monotonic() - began:.0f} s:")
            for name, count in sorted(run.counts.items()):
                print(f"  {count:8} {name}")
        deliveries = sum(len(stretch.events) for c in run.clients for stretch in c.history.stretches)
        print(f"  {sum(map(len, run.logs.values())):8} messages in the logs, heard {deliveries} times")
        print("0 acked lost, 0 twice, 0 out of order, 0 gaps; all clients have the identical log.\n")


async def latency() -> None:
    """From replica to replica, with Valkey and without."""
    async with clusters.running(replicas=2) as cluster:
        print(f"across replicas, Valkey well: {await across.measure(cluster, LATENCY_MESSAGES)}")
        await cluster.do(cluster.valkey.kill)
        without = await across.measure(cluster, LATENCY_MESSAGES)
        print(f"across replicas, Valkey dead: {without}; the bar is p99 {LATENCY_BAR_MS} ms")


def main() -> int:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        try:
            runner.run(chaos())
        except AssertionError as broken:
            print(f"\nBroken: {broken}", file=sys.stderr)
            return 1
        runner.run(latency())
    return 0


sys.exit(main())
