"""Our media worker, with one of its two packet loops."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import grpc

from bench.forward.client import Client
from bench.servers.server import Participant, process
from common import log
from common.config import ConfigError
from dev.ports import free_port, is_free
from media.loops import choose
from proto import media_pb2, media_pb2_grpc

TOKEN = "bench"  # noqa: S105  # of a worker that lives for the bench only
METADATA = [("cwrk-service", TOKEN)]


@dataclass(frozen=True)
class Worker:
    """A worker that runs: its process, and where it takes calls."""

    pid: int
    address: str


@contextmanager
def worker(loop: str = "auto", host: str = "127.0.0.1", **settings: str) -> Iterator[Worker]:
    """`python -m media` with its voices at `host`; `loop` as in MEDIA_LOOP, and other settings."""
    port = free_port()
    env = {
        **os.environ,
        "MEDIA_LISTEN": f"127.0.0.1:{port}",
        "MEDIA_HOST": host,
        "MEDIA_PORT": str(_voice_port(host)),
        "MEDIA_LOOP": loop,
        "MEDIA_WORKERS": "1",
        # One who speaks to 500.
        "MEDIA_MAX_PARTICIPANTS": "501",
        "MEDIA_DRAIN_MS": "0",
        "SERVICE_TOKEN": TOKEN,
        "LOG_LEVEL": "warning",
        **settings,
    }
    with process([sys.executable, "-m", "media"], port, env) as pid:
        yield Worker(pid, f"127.0.0.1:{port}")


async def negotiate(stub: media_pb2_grpc.MediaAsyncStub, room: str, user: str, offer: str) -> str:
    """The answer of a worker."""
    request = media_pb2.NegotiateRequest(room_id=room, user_id=user, sdp=offer)
    answer = await stub.Negotiate(request, metadata=METADATA, timeout=10, wait_for_ready=True)
    return str(answer.sdp)


class Rooms:
    """The rooms of a worker."""

    def __init__(self, pid: int, host: str, stub: media_pb2_grpc.MediaAsyncStub) -> None:
        self.pid, self._host, self._stub = pid, host, stub

    async def enter(self, room: str, user: str, *, speaks: bool, hears: int) -> Participant:
        client = Client(hears, self._host)
        await client.connect(await negotiate(self._stub, room, user, client.offer()))
        return Participant(client if speaks else None, client)

    async def settle(self) -> None:
        """Routes follow who comes."""

    async def leave(self, room: str, user: str) -> None:
        close = media_pb2.CloseRequest(room_id=room, user_id=user)
        await self._stub.Close(close, metadata=METADATA, timeout=10)


@asynccontextmanager
async def rooms(of: Worker, host: str = "127.0.0.1") -> AsyncIterator[Rooms]:
    """The rooms of a worker that runs."""
    async with grpc.aio.insecure_channel(of.address) as channel:
        yield Rooms(of.pid, host, media_pb2_grpc.MediaStub(channel))


class Ours:
    """`python -m media`; `loop` as in MEDIA_LOOP."""

    def __init__(self, loop: str) -> None:
        self.name = self._loop = loop

    def prepare(self) -> str | None:
        log.configure("bench", level="error")
        try:
            choose(self._loop)
        except ConfigError as error:
            return str(error)
        return None

    def version(self) -> str:
        return f"cwrkPlanet's worker, the loop in {'C' if self._loop == 'native' else 'Python'}"

    @asynccontextmanager
    async def running(self, host: str) -> AsyncIterator[Rooms]:
        with worker(self._loop, host) as process:
            async with rooms(process, host) as running:
                yield running


def _voice_port(host: str) -> int:
    """Free for UDP and for TCP."""
    while True:
        port = free_port()
        if is_free(port, host=host) and is_free(port, host=host, udp=True):
            return port
