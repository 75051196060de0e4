"""One service, several processes: Python does one thing at a time, so each core gets one of its own.

The parent starts workers, which are the same program with settings of their own. It starts
one that died again, and ends them all when it ends. A worker whose parent is gone, however
it went, stops too: its standard input has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeVar

from common import log
from common.config import integer

AGAIN_SECONDS = 1.0
MOST = 256

logger = log.get("workers")


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def processes(raw: str) -> int:
    """How many processes: a number, or `auto` for one a core."""
    return min(cores(), MOST) if raw.strip() == "auto" else integer(1, MOST)(raw)


def following(listen: str, count: int) -> str:
    """The same `host:port` so many ports further on; empty stays empty."""
    if not listen:
        return ""
    host, _, port = listen.rpartition(":")
    return f"{host}:{int(port) + count}"


@asynccontextmanager
async def kept(
    module: str, settings: Sequence[Mapping[str, str]], stop_seconds: float
) -> AsyncIterator[None]:
    """A `python -m module` with each of these settings beside our own, until this is left; one that takes
    longer than `stop_seconds` to stop is killed."""
    stopping = asyncio.Event()
    keepers = [asyncio.create_task(_keep(module, each, stopping, stop_seconds)) for each in settings]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.gather(*keepers)


async def _keep(
    module: str, settings: Mapping[str, str], stopping: asyncio.Event, stop_seconds: float
) -> None:
    """One worker, again and again until we stop."""
    environ = {**os.environ, **settings}
    while not stopping.is_set():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, env=environ, stdin=asyncio.subprocess.PIPE
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
            await asyncio.wait_for(ended, stop_seconds)
        except TimeoutError:
            process.kill()
            await process.wait()


class Workers(Protocol):
    """A service's config: in how many processes, and whether this is one of them."""

    @property
    def workers(self) -> int: ...
    @property
    def is_worker(self) -> bool: ...


C = TypeVar("C", bound=Workers)
Serve = Callable[[C], AbstractAsyncContextManager[object]]


@asynccontextmanager
async def one_or_several(config: C, serve: Serve[C], several: Serve[C]) -> AsyncIterator[None]:
    """`serve` in this process, or `several` where the config wants more than one."""
    if config.is_worker:
        async with while_parent_lives(), serve(config):
            yield
    else:
        async with serve(config) if config.workers == 1 else several(config):
            yield


@asynccontextmanager
async def while_parent_lives() -> AsyncIterator[None]:
    """A worker's life."""
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_read_pipe(_StopAtEnd, sys.stdin)
    try:
        yield
    finally:
        pipe.close()


class _StopAtEnd(asyncio.Protocol):
    def eof_received(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
