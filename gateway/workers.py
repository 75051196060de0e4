"""One gateway, several processes, which listen on one port together.

The parent holds the port without listening, and its workers listen on it
(SO_REUSEPORT: the kernel gives each connection to one of them).
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from common.workers import following, kept, one_or_several
from gateway.config import Config
from gateway.serve import DRAIN_SECONDS, serve, taken

# Longer than a worker takes for itself.
STOP_SECONDS = DRAIN_SECONDS + 5.0


@asynccontextmanager
async def serve_with_workers(config: Config) -> AsyncIterator[None]:
    """As `serve`, in this process or in as many as GATEWAY_WORKERS says. Raises ConfigError."""
    async with one_or_several(config, serve, _several):
        yield


@asynccontextmanager
async def _several(config: Config) -> AsyncIterator[None]:
    with _held_port(config) as port:
        settings = [
            {
                "GATEWAY_WORKER": "1",
                "GATEWAY_PORT": str(port),
                # Each has a page of its own, on ports in a row.
                "METRICS_LISTEN": following(config.metrics_listen, number),
            }
            for number in range(config.workers)
        ]
        async with kept("gateway", settings, STOP_SECONDS):
            yield


@contextlib.contextmanager
def _held_port(config: Config) -> Iterator[int]:
    """The port, kept from others, without listening. Raises ConfigError when somebody has it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:  # without SO_REUSEPORT: is it free at all?
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            address = probe.getsockname()
        held = socket.socket(family, kind, protocol)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(address)
    except OSError as error:
        raise taken(config, error) from None
    with held:
        yield held.getsockname()[1]
