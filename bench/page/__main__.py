"""`python -m bench.page`: what the page costs the browser that it runs in, four times slowed down.

    python -m bench.page [--only first,busy,scrolling,hours,audit] [--seconds 15] [--minutes 20] [--json FILE]

The services, the people in the room and the browser are all real and share the machine. `live` (only when
named) is a stay of so many minutes as they come; `audit` is Lighthouse, which npm fetches.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from bench.page import audit, browser, busy, first, hours, scrolling
from tests import services
from tests.services import Stack

NAMES = ("first", "busy", "scrolling", "hours", "audit")
SETTINGS = {"RATE_PERSON": "1000000000", "RATE_ADDRESS": "1000000000"}
TIMES = 7


async def bench(wanted: list[str], options: argparse.Namespace, stack: Stack, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in wanted:
        if name == "first":  # with a browser of its own
            found[name] = await first.measure(stack, folder, TIMES)
        else:
            async with browser.browser(folder) as running:
                found["chromium"] = running.version
                found[name] = await _measure(name, options, running, stack)
        print(name, json.dumps(found[name], indent=1, ensure_ascii=False), flush=True)
    return found


async def _measure(name: str, options: argparse.Namespace, running: Browser, stack: Stack) -> Any:
    if name == "busy":
        return [await busy.measure(running, stack, options.seconds, size) for size in browser.SIZES]
    if name == "scrolling":
        return await scrolling.measure(running, stack)
    if name == "live":
        return await hours.live(running, stack, options.minutes)
    return await hours.compressed(running, stack)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.page", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(NAMES), help=", ".join([*NAMES, "live"]))
    parser.add_argument(
        "--seconds", type=float, default=15.0, help="how long each part of `busy` is looked at"
    )
    parser.add_argument("--minutes", type=float, default=20.0, help="how long `live` stays")
    parser.add_argument(
        "--json", type=Path, help="write the results here too; what it has of other parts stays"
    )
    options = parser.parse_args()
    before = os.getloadavg()[0]
    wanted = options.only.split(",")
    found: dict[str, Any] = {}
    if "audit" in wanted:
        wanted.remove("audit")
        audit.install()
        found["audit"] = audit.run(SETTINGS)
        print("audit", json.dumps(found["audit"], indent=1), flush=True)
    if wanted:
        with services.running(settings=SETTINGS) as stack, tempfile.TemporaryDirectory() as folder:
            found |= asyncio.run(bench(wanted, options, stack, Path(folder)))
    if options.json:
        machine = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "load_before": round(before, 2),
        }
        kept = json.loads(options.json.read_text()) if options.json.exists() else {}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(kept | found | machine, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
