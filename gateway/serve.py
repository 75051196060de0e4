"""The gateway, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from common import metrics, rpc
from common.config import ConfigError
from common.lifecycle import BACKLOG, background
from common.revocations import Revocations
from common.unreadable import Runner
from gateway.accounts import PASSWORD_DEADLINE_SECONDS
from gateway.app import HEALTH, make_app
from gateway.config import Config

# Longer than any call may take, so that nothing that was begun is cut off.
DRAIN_SECONDS = PASSWORD_DEADLINE_SECONDS + 1.0

# What is left of a body nobody wants is read for so long, so that its sender gets to read the answer.
LINGERING_SECONDS = 1.0


@dataclass(frozen=True)
class Server:
    """A running gateway; `port` is the real one where 0 was asked for."""

    port: int


@asynccontextmanager
async def serve(config: Config) -> AsyncIterator[Server]:
    """Entered, the gateway listens; left, it has answered what it had begun and closed.

    The services behind need not be there yet. Raises ConfigError when the port is taken.
    """
    async with (
        rpc.connect(config.auth, "auth", config.service_token) as auth,
        rpc.connect(config.rooms, "rooms", config.service_token) as rooms,
        AsyncExitStack() as stack,
    ):
        revocations = Revocations(auth)
        await stack.enter_async_context(background(revocations.run, "gateway.revocations"))
        page = metrics.Page("gateway")
        app = make_app(config, auth, rooms, revocations, page)
        await stack.enter_async_context(metrics.serve(config.metrics_listen, page))
        runner = Runner(
            app,
            access_log=None,  # gateway/middleware.py writes our own
            handler_cancellation=True,  # a client that went away cancels its call
            shutdown_timeout=DRAIN_SECONDS,
            lingering_time=LINGERING_SECONDS,
        )
        await runner.setup()
        try:
            try:
                await web.TCPSite(
                    runner, config.host, config.port, backlog=BACKLOG, reuse_port=config.is_worker or None
                ).start()
            except OSError as error:
                raise taken(config, error) from None
            yield Server(runner.addresses[0][1])
            # Whoever sends requests our way gets to see it before the port is closed.
            app[HEALTH].stopping = True
            await asyncio.sleep(config.drain_ms / 1000)
        finally:
            await runner.cleanup()


def taken(config: Config, error: OSError) -> ConfigError:
    """The port cannot be had."""
    return ConfigError(
        f"GATEWAY_HOST={config.host} with GATEWAY_PORT={config.port} cannot be listened on "
        f"({error.strerror}); stop what uses it, or choose another."
    )
