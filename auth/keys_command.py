"""`python -m auth keys list` and `python -m auth keys rotate`: the signing keys, for an operator."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from auth import keys, rotation
from auth.config import KeysConfig
from auth.rotation import Pace
from common import log
from common.config import ConfigError, load

USAGE = "usage: python -m auth keys list|rotate\n"


@dataclass(frozen=True, slots=True)
class Line:
    """One key as it is listed."""

    kid: str
    state: str


def run(arguments: list[str]) -> int:
    """The exit status: 0 done, 2 the command or a setting is wrong."""
    if arguments not in (["list"], ["rotate"]):
        sys.stderr.write(USAGE)
        return 2
    try:
        config = load(KeysConfig, os.environ)
        log.configure("auth", level=config.log_level, format=config.log_format)
        folder, now = Path(config.keys_dir), datetime.now(UTC)
        pace = Pace(timedelta(seconds=config.key_refetch_seconds))
        if arguments == ["rotate"]:
            rotation.rotate(folder, pace, now)
        for line in listed(keys.open_ring(folder), pace, now):
            sys.stdout.write(f"{line.kid}  {line.state}\n")
    except ConfigError as error:
        sys.stderr.write(f"auth: {error}\n")
        return 2
    return 0


def listed(ring: keys.KeyRing, pace: Pace, now: datetime) -> list[Line]:
    """The keys, newest first, each with what it does."""
    signing = pace.signing(ring, now)
    lines = []
    for key in reversed(ring.keys):
        retired_at = pace.retired_at(ring, key)
        if key is signing:
            state = "signs"
        elif retired_at is None or key.made_at > signing.made_at:
            state = f"signs from {_time(pace.signs_from(key))} on"
        elif now < retired_at:
            state = f"verifies until {_time(retired_at)}"
        else:
            state = "retired; the next rotation removes it"
        lines.append(Line(key.kid, state))
    return lines


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
