"""One gateway, several processes: Python does one thing at a time, so each core gets one of its own.

The parent holds the port without listening and starts workers that listen on it
together (SO_REUSEPORT: the kernel gives each connection to one of them). It starts
a worker that died again, and ends them all when it ends. A worker whose parent is
gone, however it went, stops too: its standard input has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from common import log
from gateway.config import Config
from gateway.serve import DRAIN_SECONDS, serve, taken

AGAIN_SECONDS = 1.0
# Longer than a worker takes for itself.
STOP_SECONDS = DRAIN_SECONDS + 5.0

logger = log.get("gateway.workers")


@asynccontextmanager
async def serve_with_workers(config: Config) -> AsyncIterator[None]:
    """As `serve`, in this process or in as many as GATEWAY_WORKERS says. Raises ConfigError."""
    if config.is_worker:
        async with _while_parent_lives(), serve(config):
            yield
    elif config.workers == 1:
        async with serve(config):
            yield
    else:
        with _held_port(config) as port:
            stopping = asyncio.Event()
            keepers = [
                asyncio.create_task(_keep(port, metrics_listen(config, number), stopping))
                for number in range(config.workers)
            ]
            try:
                yield
            finally:
                stopping.set()
                await asyncio.gather(*keepers)


def metrics_listen(config: Config, number: int) -> str:
    """Where a worker has its /metrics: each its own, on ports in a row."""
    if not config.metrics_listen:
        return ""
    host, _, port = config.metrics_listen.rpartition(":")
    return f"{host}:{int(port) + number}"


async def _keep(port: int, metrics: str, stopping: asyncio.Event) -> None:
    """One worker, again and again until we stop."""
    its_own = {"GATEWAY_WORKER": "1", "GATEWAY_PORT": str(port), "METRICS_LISTEN": metrics}
    environ = {**os.environ, **its_own}
    while not stopping.is_set():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", env=environ, stdin=asyncio.subprocess.PIPE
        )
        ended, told = asyncio.ensure_future(process.wait()), asyncio.ensure_future(stopping.wait())
        await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.is_set():
            told.cancel()
            logger.error("a worker ended", status=process.returncode)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), AGAIN_SECONDS)
            continue
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(ended, STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


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


@asynccontextmanager
async def _while_parent_lives() -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_read_pipe(_StopAtEnd, sys.stdin)
    try:
        yield
    finally:
        pipe.close()


class _StopAtEnd(asyncio.Protocol):
    def eof_received(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
