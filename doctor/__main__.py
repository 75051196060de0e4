"""`python -m doctor`: it exits with 0: nothing is wrong, 1: something is, 2: a setting cannot be read."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import sys
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import structlog

from common.config import ConfigError, load
from doctor import machine, page, voice
from doctor.config import Config
from doctor.finding import Finding, State


async def findings(config: Config) -> AsyncIterator[Finding]:
    address = config.page or config.allowed_origins[0]
    for checks in (
        page.check(address, config.certificate),
        voice.check(config, is_public=is_public(address)),
        machine.check(config),
    ):
        async for finding in checks:
            yield finding


def is_public(address: str) -> bool:
    """Whether the page is for people in other networks."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return host != "localhost" and not host.endswith((".local", ".lan", ".internal", ".localhost"))


async def examine(config: Config) -> int:
    count = 0
    async for finding in findings(config):
        sys.stdout.write(f"  {finding.state.value:<7}{finding.about:<12}{finding.said}\n")
        if finding.do:
            sys.stdout.write(f"{'':>21}to do: {finding.do}\n")
        sys.stdout.flush()
        count += finding.state is State.WRONG
    things = "one thing is" if count == 1 else f"{count} things are"
    sys.stdout.write(f"{things} wrong.\n" if count else "Nothing is wrong, as seen from here.\n")
    return 1 if count else 0


def main() -> int:
    # What goes wrong is told as a finding.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    try:
        return asyncio.run(examine(load(Config, os.environ)))
    except ConfigError as error:
        sys.stderr.write(f"doctor: {error}\n")
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
