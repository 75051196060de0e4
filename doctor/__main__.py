"""`python -m doctor [--json]`: exits with 0: nothing is wrong, 1: something is, 2: a setting cannot be read.

With --json each finding is a line, an object with about, state, said and todo; and 0 is: all was looked at.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
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


async def examine(config: Config, *, as_json: bool) -> int:
    count = 0
    async for finding in findings(config):
        sys.stdout.write(as_object(finding) if as_json else as_text(finding))
        sys.stdout.flush()
        count += finding.state is State.WRONG
    if as_json:
        return 0
    things = "one thing is" if count == 1 else f"{count} things are"
    sys.stdout.write(f"{things} wrong.\n" if count else "Nothing is wrong, as seen from here.\n")
    return 1 if count else 0


def as_text(finding: Finding) -> str:
    said = f"  {finding.state.value:<7}{finding.about:<12}{finding.said}\n"
    return said + (f"{'':>21}to do: {finding.do}\n" if finding.do else "")


def as_object(finding: Finding) -> str:
    told = {"about": finding.about, "state": finding.state.value, "said": finding.said, "todo": finding.do}
    return json.dumps(told) + "\n"


def main() -> int:
    # What goes wrong is told as a finding.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    try:
        return asyncio.run(examine(load(Config, os.environ), as_json="--json" in sys.argv[1:]))
    except ConfigError as error:
        sys.stderr.write(f"doctor: {error}\n")
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
