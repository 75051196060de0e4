"""Which servers a bench measures, and one of them running."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench import servers
from bench.report.machine import machine
from bench.servers.server import Running, Server
from dev import namespace

OURS = ("native", "python")


@dataclass(frozen=True)
class Choice:
    """By name: those that run here, and why others do not."""

    servers: dict[str, Server]
    versions: dict[str, str]
    left_out: dict[str, str]
    load_before: float

    def described(self) -> dict[str, Any]:
        """For a result: where, with what."""
        return {
            "machine": machine(self.load_before),
            "versions": self.versions,
            "left_out": self.left_out,
        }


def choose(names: list[str], module: str, arguments: list[str]) -> Choice:
    """Of these. What they need is fetched; then `python -m module arguments` goes on in a network of its own,
    where the machine allows that."""
    if not namespace.inside():
        for name in names:
            servers.ALL[name].prepare()
        namespace.enter(module, arguments)
    lacking = {name: why for name in names if (why := _lacks(name))}
    for name, why in lacking.items():
        print(f"{name} is left out: {why}")
    able = {name: servers.ALL[name] for name in names if name not in lacking}
    versions = {name: server.version() for name, server in able.items()}
    return Choice(able, versions, lacking, os.getloadavg()[0])


def _lacks(name: str) -> str | None:
    if name not in OURS and not namespace.inside():
        return "it uses no loopback address, and no network namespace can be made here"
    return servers.ALL[name].prepare()


def address() -> str:
    """Where voices go."""
    return namespace.ADDRESS if namespace.inside() else "127.0.0.1"


@contextmanager
def running(server: Server) -> Iterator[tuple[asyncio.Runner, Running]]:
    """A server that was just started, and the event loop that talks to it; it stands still between calls."""
    with asyncio.Runner() as runner:
        context = server.running(address())
        place = runner.run(context.__aenter__())
        try:
            yield runner, place
        finally:
            runner.run(context.__aexit__(None, None, None))
