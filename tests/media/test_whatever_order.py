"""Whatever the order in which people offer, connect, fail, are muted and go: nobody is left over in any map.

DTLS alone is not the real one here: a step says when a handshake is through, or fails, or a connection ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import NotFound
from media import worker as module
from media.address import Path, pack
from media.datagrams import DatagramSocket
from media.packet_loop import MakeLoop
from media.sdp import Fingerprint
from media.srtp import Keys
from media.transport import HandshakeFailed
from media.worker import LOST_SILENT, Worker
from tests.media.ends import LOOPS
from tests.media.offers import FINGERPRINT, chromium, replaced, text

USERS = ("ann", "bob", "eve")
KEYS = Keys(profile=7, receive=bytes(28), transmit=bytes(28))


class Scripted:
    """A transport whose handshake and end are the test's to tell."""

    fingerprint = Fingerprint("sha-256", FINGERPRINT)

    def __init__(self, *_: Any) -> None:
        self.shaken: asyncio.Future[Keys] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self.closed = False

    async def handshake(self) -> Keys:
        return await self.shaken

    async def ended(self) -> None:
        await self._over.wait()

    async def close(self) -> None:
        self.closed = True

    def reachable(self) -> None: ...

    def step(self, what: str) -> None:
        if what == "hang up":
            self._over.set()
        elif not self.shaken.done():
            if what == "connect":
                self.shaken.set_result(KEYS)
            else:
                self.shaken.set_exception(HandshakeFailed("as if"))


class Place:
    """A worker, and all the connections that were ever offered."""

    def __init__(self, make: MakeLoop) -> None:
        self.worker = Worker([DatagramSocket("127.0.0.1", 0)], packet_loop=make)
        self.offers = 0
        self.last: dict[str, str] = {}
        self.transports: list[Any] = []  # Scripted ones

    def do(self, what: str, user: str, number: int) -> None:
        worker = self.worker
        room = "one" if number % 2 else "two"
        match what:
            case "offer":
                self.offers += 1
                self.last[user] = text(replaced(chromium(2), "4611733055", str(self.offers)))
                voice = worker.negotiate(room, user, self.last[user], muted=number % 3 == 0)
                found = next(each for each in worker.voices if each.id == voice.voice_id)
                self.transports.append(found.transport)
                path = Path(0, pack("127.0.0.1", 1 + number % 5))
                worker.forwarder.learn(found.number, path)
                worker.forwarder.aim(found.number, path)
            case "restart" if user in self.last:
                again = self.last[user].replace("a=ice-ufrag:abcd", f"a=ice-ufrag:{number:04}")
                before = len(worker.voices)
                worker.negotiate(room, user, again, muted=False)
                if len(worker.voices) > before:  # the connection has ended: it is a new one
                    newest = max(worker.voices, key=lambda each: each.number)
                    self.transports.append(newest.transport)
            case "connect" | "fail" | "hang up" if self.transports:
                self.transports[-1 - number % min(4, len(self.transports))].step(what)
            case "close":
                worker.close(room, user)
            case "mute":
                worker.set_muted(room, user, number % 3 == 0)
            case "attach":
                with contextlib.suppress(NotFound):
                    worker.attach(room, user, "none", muted=True)
            case "end":
                worker.end_room(room)
            case "lose":
                worker.tick(time.monotonic() + LOST_SILENT + 1, 0.0)

    def check(self) -> None:
        worker = self.worker
        known = {each.number for each in worker.voices}
        of_rooms = [
            each for room in worker.rooms for each in (*room.voices.values(), *room.arriving.values())
        ]
        assert sorted(each.number for each in of_rooms) == sorted(known)
        assert set(worker._ice._by_transport) == set(worker.forwarder._transports) == known  # type: ignore[attr-defined]
        assert len(worker._ice._by_username) <= 2 * len(known)
        for room in worker.rooms:
            assert room.voices.keys() >= room.arriving.keys()
            assert room.voices.keys() == room.router._listeners.keys()
            for user in room.voices:
                heard = [slot.user_id for slot in room.router.slots(user) if slot.user_id]
                assert set(heard) <= room.voices.keys() - {user}
        assert all(room.voices for room in worker.rooms)


WHAT = (
    *("offer",) * 4,
    *("connect",) * 4,
    *("restart", "fail", "hang up", "close", "mute", "attach", "end", "lose"),
)
STEPS = st.lists(
    st.tuples(st.sampled_from(WHAT), st.sampled_from(USERS), st.integers(0, 30)), min_size=1, max_size=40
)


async def play(make: MakeLoop, steps: list[tuple[str, str, int]]) -> None:
    place = Place(make)
    async with place.worker.running():
        for what, user, number in steps:
            place.do(what, user, number)
            place.check()
            for _ in range(3):  # what is told to a connection has its effect
                await asyncio.sleep(0)
            place.check()
        for room in ("one", "two"):
            place.worker.end_room(room)
        place.check()
        assert place.worker.load.voices == len(place.worker.rooms) == 0
    assert all(each.closed for each in place.transports)
    assert not place.worker._ice._by_username
    assert not place.worker._ice._in_use


@pytest.mark.parametrize("make", LOOPS.values(), ids=LOOPS)
@settings(max_examples=40)
@given(steps=STEPS)
def test_nobody_is_left_over(make: MakeLoop, steps: list[tuple[str, str, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Transport", Scripted)
        asyncio.run(play(make, steps))
