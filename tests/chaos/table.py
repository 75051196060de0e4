"""`make chaos`: a call and a chat go on while each part of a site is killed, stopped, hung, cut and slowed.

    python -m tests.chaos.table [--only "WORDS;WORDS"] [--seed 1] [--json FILE]

Prints a row for each fault; the exit status is 1 where one of them cost more than it may.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import time
from pathlib import Path

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # as tests/conftest.py; read when gRPC is imported

from common.lifecycle import loop_factory
from tests.chaos import network
from tests.chaos.evening import Cost, going_on
from tests.chaos.faults import FAULTS, Fault

HEAD = """
| what breaks | for, s | acked | lost | longest gap of a voice, s | voices anew | room moved | well after, s |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def row(cost: Cost) -> str:
    cells = (
        cost.fault.name,
        f"{cost.lasted:.1f}",
        cost.acked,
        cost.lost,
        f"{cost.gap:.2f}",
        cost.anew,
        "yes" if cost.moved else "no",
        f"{cost.back:.1f}",
    )
    return f"| {' | '.join(map(str, cells))} |" + ("" if cost.within else "  <-- past what it may cost")


async def table(faults: list[Fault], seed: int) -> list[Cost]:
    costs: list[Cost] = []
    async with going_on(seed) as evening:
        print(HEAD, flush=True)
        for fault in faults:
            costs.append(await evening.suffer(fault))
            print(row(costs[-1]), flush=True)
            await evening.site.renew_tokens()
        print(f"\nThe clients' own longest hold-up was {evening.slowest_tick:.2f} s.")
    return costs


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.table")
    parser.add_argument("--only", default="", help="those with one of these in their names")
    parser.add_argument("--json", type=Path, help="the rows, for programs")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    args = parser.parse_args()
    try:
        network.leave()
    except network.NotAllowed as problem:
        print(problem, file=sys.stderr)
        return network.NOT_ALLOWED
    faults = [fault for fault in FAULTS if any(word in fault.name for word in args.only.split(";"))]
    began = time.monotonic()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        costs = runner.run(table(faults, args.seed))
    if args.json:
        rows = [{**vars(cost), "fault": cost.fault.name} for cost in costs]
        args.json.write_text(json.dumps(rows, indent=1))
    dear = [cost.fault.name for cost in costs if not cost.within]
    print(f"{len(costs)} faults in {time.monotonic() - began:.0f} s, seed {args.seed}.")
    print(f"Past what they may cost: {', '.join(dear)}." if dear else "Each within what it may cost.")
    return 1 if dear else 0


if __name__ == "__main__":
    sys.exit(main())
