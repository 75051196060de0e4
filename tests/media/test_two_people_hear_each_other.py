"""The main job: who speaks is heard, with real ICE, DTLS, SRTP and Opus on loopback."""

import pytest

from media.worker import Worker
from tests.media.browser import Browser, browsers, until


async def test_a_tone_of_one_is_heard_by_the_other(worker: Worker) -> None:
    ann = Browser(worker, "room", "ann", hertz=440)
    bob = Browser(worker, "room", "bob", hertz=600)
    async with browsers(ann, bob):
        assert [slot.user_id for slot in (await ann.join()).slots] == [None, None, None]
        assert [slot.user_id for slot in (await bob.join()).slots] == ["ann", None, None]
        assert await bob.pitch(0) == pytest.approx(440, abs=15)
        assert await ann.pitch(0) == pytest.approx(600, abs=15)
        assert await ann.lost(0) == await bob.lost(0) == 0


async def test_a_browser_that_closes_its_connection_is_gone_at_once(worker: Worker) -> None:
    ann = Browser(worker, "room", "ann")
    bob = Browser(worker, "room", "bob")
    async with browsers(ann, bob):
        await ann.join()
        await bob.join()
        await ann.connection.close()
        await until(lambda: [slot.user_id for slot in worker.slots("room", "bob")] == [None] * 3)
