"""/readyz of a replica: what fails, part by part, a pub/sub that only seems to be alive among it."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from tests import stack as servers
from tests.rooms import kit
from tests.rooms.proxy import listening, proxied


async def readyz(rooms: kit.Rooms) -> tuple[int, dict[str, Any]]:
    async with rooms.http.get(f"http://127.0.0.1:{rooms.ports.websocket}/readyz") as answer:
        return answer.status, await answer.json()


async def pubsub_is(rooms: kit.Rooms, said: str) -> None:
    """Wait until it says so."""
    async with asyncio.timeout(kit.PATIENCE):
        while (found := (await readyz(rooms))[1]["parts"]["pubsub"]) != said:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert found == said


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rooms.log.fanout.BEAT_SECONDS", 0.05)
    monkeypatch.setattr("rooms.log.fanout.DEAF_SECONDS", 0.4)
    monkeypatch.setattr("rooms.log.fanout.RECONNECT_SECONDS", 0.1)


DEAF = "Redis brings nothing of what is published, not even to who says it."


async def test_a_pubsub_that_takes_and_brings_nothing_is_noticed(stack: kit.Stack, redis_url: str) -> None:
    """Its connection is open, and commands work: only the heartbeat does not come back."""
    async with proxied(redis_url) as line:
        stack.redis_url = line.url
        rooms = await stack.start()
        await pubsub_is(rooms, "ok")
        assert await readyz(rooms) == (
            200,
            {"status": "ready", "parts": dict.fromkeys(("connections", "database", "pubsub", "media"), "ok")},
        )
        line.stall(listening)
        await pubsub_is(rooms, DEAF)
        status, said = await readyz(rooms)
        assert (status, said["status"]) == (
            200,
            "degraded",
        )  # nobody takes it out of turn
        room_id = await rooms.create()
        await rooms.connect(room_id, 1)  # and all goes on
        line.go_on()
        await pubsub_is(rooms, "ok")


async def test_a_frozen_valkey_is_noticed_and_its_return_too(stack: kit.Stack) -> None:
    with servers.valkey() as valkey:
        stack.redis_url = valkey.url
        rooms = await stack.start()
        await pubsub_is(rooms, "ok")
        assert valkey.process is not None
        os.kill(valkey.process.pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(kit.PATIENCE):
                while (await readyz(rooms))[1]["status"] != "degraded":  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        finally:
            os.kill(valkey.process.pid, signal.SIGCONT)
        await pubsub_is(rooms, "ok")


async def test_without_its_database_a_replica_is_not_ready(stack: kit.Stack, database_url: str) -> None:
    async with proxied(database_url) as line:
        rooms = await stack.start(database_url=line.url)
        assert (await readyz(rooms))[0] == 200
        await line.cut()
        status, said = await readyz(rooms)
        assert (status, said["status"]) == (503, "not_ready")
        assert said["parts"]["database"] == "The database does not answer. Try again in a moment."


async def test_a_media_worker_that_is_not_heard_is_named(stack: kit.Stack) -> None:
    rooms = await stack.start(media_addr=(stack.media_addr, "127.0.0.1:1"))
    async with asyncio.timeout(kit.PATIENCE):
        while (await readyz(rooms))[1]["parts"]["media"] != "Not heard: 127.0.0.1:1.":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert (await readyz(rooms))[0] == 200
