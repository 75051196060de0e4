"""As many media workers as MEDIA_WORKERS says, each a process with ports that follow on those of the first.

They know nothing of each other: rooms has the address of each, and places rooms on them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from common.config import ConfigError
from common.workers import following, kept, one_or_several
from media.config import Config
from media.service import serve

#: A worker ends its rooms over MEDIA_DRAIN_MS, and has so many seconds more.
_STOP_SECONDS = 5.0


@asynccontextmanager
async def serve_with_workers(config: Config) -> AsyncIterator[None]:
    """As `serve`, in this process or in several. Raises ConfigError."""
    async with one_or_several(config, serve, _several):
        yield


@asynccontextmanager
async def _several(config: Config) -> AsyncIterator[None]:
    settings = [settings_of(config, number) for number in range(config.workers)]
    async with kept("media", settings, config.drain_ms / 1000 + _STOP_SECONDS):
        yield


def settings_of(config: Config, number: int) -> dict[str, str]:
    """What the worker of that number, from 0, has for itself: ports, also those that clients are told."""
    port = config.port + number
    if port > 65535:
        raise ConfigError(f"MEDIA_PORT={config.port} leaves no ports for MEDIA_WORKERS={config.workers}.")
    return {
        "MEDIA_WORKER": "1",
        "MEDIA_PORT": str(port),
        "MEDIA_LISTEN": following(config.listen, number),
        "MEDIA_ADVERTISE": ",".join(each.further(number) for each in config.advertise),
        "METRICS_LISTEN": following(config.metrics_listen, number),
    }
