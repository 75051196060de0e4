"""A fault of ours: the log has it, the other side hears 500 or 4100, and the others stay."""

import aiohttp
import pytest

from rooms.hub import Hub
from rooms.tables.members import Members
from tests.rooms import kit


def broken(*_: object) -> None:
    raise ZeroDivisionError("a fault of ours")


async def test_while_somebody_connects(rooms: kit.Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    with monkeypatch.context() as patched:
        patched.setattr(Members, "admit", broken)
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
