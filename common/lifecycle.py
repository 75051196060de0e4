"""Starting and stopping a service: `python -m NAME` is `run("NAME", Config, serve)`.

`serve(config)` is an async context manager: entered, the service is ready;
left, it has drained and closed. Nothing starts at import.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from common import log
from common.config import Common, ConfigError, load

C = TypeVar("C", bound=Common)


def run(name: str, kind: type[C], serve: Callable[[C], AbstractAsyncContextManager[object]]) -> int:
    """Run until SIGTERM or SIGINT; the exit status: 0 stopped, 2 a setting is wrong."""
    try:
        config = load(kind, os.environ)
        log.configure(name, level=config.log_level, format=config.log_format)
        asyncio.run(_run(name, config, serve))
    except ConfigError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 2
    return 0


async def _run(name: str, config: C, serve: Callable[[C], AbstractAsyncContextManager[object]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    logger = log.get(name)
    async with serve(config):
        logger.info("ready")
        await stop.wait()
        logger.info("stopping")
    logger.info("stopped")
