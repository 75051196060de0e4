"""A fault of ours: the log has it, the other side hears 500 or 4100, and the others stay."""

import asyncio
from typing import Any, cast
from uuid import uuid4

import aiohttp
import pytest
import structlog.testing

from common import database
from rooms.hub import Hub
from rooms.tables.arrivals import Arrivals
from rooms.tables.presence import Presence
from rooms.tables.store import Store
from tests.rooms import kit


def broken(*_: object) -> None:
    raise ZeroDivisionError("a fault of ours")


async def test_while_somebody_connects(rooms: kit.Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    with monkeypatch.context() as patched:
        patched.setattr(Arrivals, "admit", broken)
        url = rooms.url(room_id, access_token=kit.token(1))
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await rooms.dial(url)
        assert caught.value.status == 500
        page = await rooms.dial(url, headers={"Origin": "http://localhost:8080"})
        assert await page.closed() == (4100, "INTERNAL")
    await ann.send("ping")
    await ann.until("pong")
    await rooms.connect(room_id, 1)


async def test_in_the_middle_of_a_frame(rooms: kit.Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    with monkeypatch.context() as patched:
        patched.setattr(Hub, "receive", broken)
        await ann.send("ping")
        assert await ann.closed() == (4100, "INTERNAL")
    await bob.send("ping")
    await bob.until("pong")


async def test_while_a_room_is_opened_for_somebody_who_waits_no_longer(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def broken_later(*_: object) -> None:
        asked.set()
        await answered.wait()
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(Presence, "roster", broken_later)
    async with database.connect(database_url) as opened:
        hub = Hub(Store(opened), Presence(opened, uuid4()), "epoch")
        nobody = cast(Any, None)  # who it would be, once the room is open
        with structlog.testing.capture_logs() as lines:
            coming = asyncio.create_task(hub.attach(str(uuid4()), nobody, nobody, nobody, None))
            await asyncio.wait_for(asked.wait(), kit.PATIENCE)
            coming.cancel()
            await asyncio.wait([coming])
            answered.set()
            async with asyncio.timeout(kit.PATIENCE):
                while not lines:  # noqa: ASYNC110  # what nobody is told
                    await asyncio.sleep(0)
    assert [(line["event"], type(line["exc_info"])) for line in lines] == [
        ("unexpected error", ZeroDivisionError)
    ]
