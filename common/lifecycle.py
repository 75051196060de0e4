"""Starting and stopping a service: `python -m NAME` is `run("NAME", Config, serve)`.

`serve(config)` is an async context manager: entered, the service is ready;
left, it has drained and closed. Nothing starts at import.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from common import log
from common.config import Common, ConfigError, load

#: Connections that the kernel keeps until we take them. With aiohttp's 128 it turns a crowd away in silence
#: (ListenOverflows), who try again after 1, 3 and 7 s. Linux cuts it to net.core.somaxconn, by itself 4096.
BACKLOG = 4096

C = TypeVar("C", bound=Common)


def run(name: str, kind: type[C], serve: Callable[[C], AbstractAsyncContextManager[object]]) -> int:
    """Run until SIGTERM or SIGINT; the exit status: 0 stopped, 2 a setting is wrong."""
    try:
        config = load(kind, os.environ)
        log.configure(name, level=config.log_level, format=config.log_format)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_run(name, config, serve))
    except ConfigError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 2
    return 0


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where there is one: about a third less CPU a request."""
    try:
        import uvloop  # not on every system
    except ImportError:
        return None
    return uvloop.new_event_loop


@asynccontextmanager
async def background(work: Callable[[], Awaitable[None]], name: str) -> AsyncIterator[None]:
    """Work that goes on until this is left. A fault of ours is logged, and it begins again."""

    async def forever() -> None:
        while True:
            try:
                await work()
            except Exception:
                log.get(name).exception("begins again")
            await asyncio.sleep(1)

    task = asyncio.create_task(forever(), name=name)
    try:
        yield
    finally:
        # Again and again: a library may swallow a cancellation, as the asyncio.wait_for of Python 3.11 does
        # when what it waits for ends in the same moment.
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=1)


@asynccontextmanager
async def traced(name: str, endpoint: str) -> AsyncIterator[None]:
    """Traces are told to the collector at `endpoint`, if that is set."""
    if not endpoint:
        yield
        return
    from common import spans  # a third of a second, for those who want it

    async with spans.told(name, endpoint):
        yield


async def _run(name: str, config: C, serve: Callable[[C], AbstractAsyncContextManager[object]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    logger = log.get(name)
    async with traced(name, config.otlp_endpoint), serve(config):
        logger.info("ready")
        await stop.wait()
        logger.info("stopping")
    logger.info("stopped")
