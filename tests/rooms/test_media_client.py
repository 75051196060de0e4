"""A worker as rooms hears it: whether it lives, hangs, or only says nothing for a moment."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from common import rpc
from common.lifecycle import background
from proto import media_pb2, media_pb2_grpc
from rooms.media_client import Worker
from tests.rooms import kit


@dataclass
class Heard:
    """A worker, and what rooms would have been told of it; `spare` is whether there is another."""

    media: kit.Media
    spare: bool = False
    told: list[str] = field(default_factory=list)
    worker: Worker = field(init=False)

    def says_hello(self, alive_ms: int) -> None:
        hello = media_pb2.WorkerHello(worker_id="worker-1", version="1.2.3", alive_ms=alive_ms)
        self.media.say(media_pb2.Event(hello=hello))

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(kit.PATIENCE):
            while not condition():  # noqa: ASYNC110  # another's task: nothing to await
                await asyncio.sleep(0.01)


@pytest.fixture
async def heard() -> AsyncIterator[Heard]:
    heard = Heard(kit.Media())
    async with contextlib.AsyncExitStack() as exits:
        add = media_pb2_grpc.add_MediaServicer_to_server
        address = await exits.enter_async_context(kit.grpc_server(add, heard.media))
        client = await exits.enter_async_context(rpc.connect(address, "media", ""))
        heard.worker = Worker(
            address,
            client,
            heard=lambda worker, event: None,
            came=lambda worker: heard.told.append("came"),
            lost=lambda worker: heard.told.append("lost"),
            spare=lambda worker: heard.spare,
        )
        await exits.enter_async_context(background(heard.worker.listen, "worker"))
        await heard.until(lambda: heard.worker.alive)
        yield heard
        heard.media.hang_up()


async def test_the_only_worker_that_says_nothing_is_waited_for(heard: Heard) -> None:
    heard.says_hello(alive_ms=20)
    await heard.until(lambda: heard.worker.silent)
    assert heard.worker.alive
    assert not heard.worker.takes_rooms
    heard.says_hello(alive_ms=60_000)
    await heard.until(lambda: heard.worker.takes_rooms)
    assert "lost" not in heard.told
    assert heard.worker.version == "1.2.3"


async def test_one_of_several_that_says_nothing_is_lost(heard: Heard) -> None:
    heard.spare = True
    heard.media.shut = True
    heard.says_hello(alive_ms=20)
    await heard.until(lambda: "lost" in heard.told)
    assert not heard.worker.alive
