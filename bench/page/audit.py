"""Lighthouse, with its own idea of a cheap phone on a slow network, of pages that one sees signed in too."""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from bench.page.people import Room
from dev.ports import free_port
from tests.e2e.browsers import chromium
from tests.e2e.person import Person
from tests.e2e.tone import write_tone
from tests.services import Stack

HERE = Path(__file__).parent
LIGHTHOUSE = HERE / "node_modules" / ".bin" / "lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices")
SECONDS = 120


def install() -> None:
    """What package-lock.json names, beside it. Wants npm, and a Node that Lighthouse runs on."""
    command = ["npm", "ci", "--prefix", str(HERE), "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(command, check=True)


async def measure(stack: Stack) -> list[dict[str, Any]]:
    """One audit of each page, in a profile whose owner is signed in for all but the first."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        launch = chromium(write_tone(Path(folder) / "tone.wav", 440))
        launch["args"] = [*launch["args"], f"--remote-debugging-port={port}"]
        async with async_playwright() as playwright, Room.with_people(stack, 5) as room:
            await room.say(a_second=10, count=40)
            context = await playwright.chromium.launch_persistent_context(
                f"{folder}/profile", locale="en-GB", **launch
            )
            ann = Person(context.pages[0], stack.url, "Ann")
            audits = [await _audit(port, "login", f"{stack.url}/login")]
            await ann.page.goto(stack.url)
            await ann.register()
            await ann.page.goto("about:blank")
            audits.append(await _audit(port, "rooms", stack.url))
            audits.append(await _audit(port, "room", stack.url + room.path))
            await context.close()
            return audits


async def _audit(port: int, name: str, url: str) -> dict[str, Any]:
    command = [str(LIGHTHOUSE), url, f"--port={port}", "--disable-storage-reset", "--output=json", "--quiet"]
    command += [f"--only-categories={','.join(CATEGORIES)}"]
    async with asyncio.timeout(SECONDS):
        lighthouse = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        found = json.loads((await lighthouse.communicate())[0])
    audits = found["audits"]
    return {
        "page": name,
        "address": found["finalDisplayedUrl"].removeprefix(url.split("/", 3)[0]),
        **{key: round(100 * found["categories"][key]["score"]) for key in CATEGORIES},
        "first_paint_ms": round(audits["first-contentful-paint"]["numericValue"]),
        "largest_paint_ms": round(audits["largest-contentful-paint"]["numericValue"]),
        "blocked_ms": round(audits["total-blocking-time"]["numericValue"]),
        "shift": round(audits["cumulative-layout-shift"]["numericValue"], 3),
        "failed": sorted(
            key
            for category in CATEGORIES
            for key in (each["id"] for each in found["categories"][category]["auditRefs"] if each["weight"])
            if (audits[key]["score"] or 0) < 0.9 and audits[key]["scoreDisplayMode"] in ("binary", "numeric")
        ),
    }
