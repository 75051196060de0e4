"""Lighthouse, with its own idea of a cheap phone on a slow network, of pages that one sees signed in too.

Phones come over TLS and HTTP/2, as no other page gets a microphone: so Caddy stands before the services,
with the routes that it has everywhere (deploy/caddy).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from bench.page.people import Room
from dev.ports import free_port
from tests import services
from tests.e2e.browsers import chromium
from tests.e2e.person import Person
from tests.e2e.tone import write_tone
from tests.services import Stack

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LIGHTHOUSE = HERE / "node_modules" / ".bin" / "lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices")
SECONDS = 120


def install() -> None:
    """What package-lock.json names, beside it. Wants npm, and a Node that Lighthouse runs on."""
    command = ["npm", "ci", "--prefix", str(HERE), "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(command, check=True)


def run(settings: dict[str, str]) -> list[dict[str, Any]]:
    """Services of its own, behind a Caddy."""
    front = f"https://localhost:{free_port()}"
    settings = settings | {"ALLOWED_ORIGINS": front, "TRUSTED_PROXIES": "127.0.0.1"}
    with contextlib.ExitStack() as running:
        stack = running.enter_context(services.running(settings=settings))
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        running.enter_context(_caddy(folder, stack, front))
        return asyncio.run(_measure(stack, folder, front))


@contextlib.contextmanager
def _caddy(folder: Path, stack: Stack, front: str) -> Iterator[None]:
    routes = ROOT / "deploy" / "caddy" / "routes"
    (folder / "Caddyfile").write_text(
        "{\n\tadmin off\n\tpersist_config off\n\tskip_install_trust\n\tauto_https disable_redirects\n"
        f'\timport "{routes.with_name("options")}"\n}}\n{front} {{\n\ttls internal\n\timport "{routes}"\n}}\n'
    )
    env = {
        "GATEWAY": f"127.0.0.1:{stack.env['GATEWAY_PORT']}",
        "ROOMS_WS": f"127.0.0.1:{stack.env['ROOMS_WS_PORT']}",
        "PROTOCOLS": "h1 h2",
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    command = [str(Path(sys.executable).parent / "caddy"), "run", "--config", str(folder / "Caddyfile")]
    with (folder / "caddy.log").open("wb") as log:
        caddy = subprocess.Popen(command, env={**os.environ, **env}, stdout=log, stderr=log)
    try:
        yield
    finally:
        caddy.terminate()
        caddy.wait()


async def _measure(stack: Stack, folder: Path, front: str) -> list[dict[str, Any]]:
    """One audit of each page, in a profile whose owner is signed in for all but the first."""
    port = free_port()
    launch = chromium(write_tone(folder / "tone.wav", 440))
    launch["args"] = [*launch["args"], f"--remote-debugging-port={port}", "--ignore-certificate-errors"]
    async with async_playwright() as playwright, Room.with_people(stack, 5) as room:
        await room.say(a_second=10, count=40)
        context = await playwright.chromium.launch_persistent_context(
            f"{folder}/profile", locale="en-GB", **launch
        )
        ann = Person(context.pages[0], front, "Ann")
        audits = [await _audit(port, "login", f"{front}/login")]
        await ann.page.goto(front)
        await ann.register()
        await ann.page.goto("about:blank")
        audits.append(await _audit(port, "rooms", front))
        audits.append(await _audit(port, "room", front + room.path))
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
