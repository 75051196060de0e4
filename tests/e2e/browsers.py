"""Which browsers there are, and how they are started."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from dev.browsers import WANTED

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
]


def program(name: str) -> str | None:
    """Where the browser is: `name` is one of dev.browsers.WANTED."""
    return next(filter(None, map(shutil.which, WANTED[name])), None)


def chromium(microphone: Path) -> dict[str, Any]:
    """How Playwright launches Chromium, with a file for its microphone. Its profile is new and empty."""
    return {
        "executable_path": program("Chromium"),
        "headless": True,
        "args": [*FLAGS, f"--use-file-for-fake-audio-capture={microphone}"],
    }
