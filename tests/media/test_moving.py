"""A participant whose address changes, by a nominating check of its own or by a restart, is followed."""

from __future__ import annotations

import asyncio
import time

import pytest

from bench.forward.client import Wire
from media.datagrams import DatagramSocket
from media.events import VoiceLostEvent
from media.sdp import BadOffer
from media.worker import Worker
from tests.media.voices import Voice, recorded, voices


async def move(voice: Voice, to: Wire, *, nominate: bool = True) -> Wire:
    """Goes on from another socket, once its check is answered; returns the socket of before."""
    before, voice.socket = voice.socket, to
    voice.check(nominate=nominate)
    await answered(voice)
    return before


async def answered(voice: Voice) -> None:
    async with asyncio.timeout(5):
        while voice.socket.receive() == 0:  # noqa: ASYNC110  # the answer comes in a socket of the kernel
            await asyncio.sleep(0.01)


async def restart(voice: Voice) -> None:
    """New credentials for the same connection."""
    offer = voice.restart()
    restarted = voice.worker.negotiate(voice.room, voice.user, offer, muted=False)
    assert restarted.voice_id == voice.negotiated.voice_id
    assert restarted.slots == voice.worker.slots(voice.room, voice.user)
    voice.take(restarted.sdp)
    voice.negotiated = restarted


async def test_a_client_that_moves_is_followed(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob):
        old = await move(bob, DatagramSocket("127.0.0.1", 0))
        assert await ann.is_heard_by(bob)
        assert await bob.is_heard_by(ann)
        old.close()


async def test_one_that_comes_back_gets_its_address_back(worker: Worker) -> None:
    """Though somebody else had it in between."""
    ann, bob, eve = (Voice(worker, "room", user) for user in ("ann", "bob", "eve"))
    eve.socket.close()
    async with voices(ann, bob):
        home = await move(ann, DatagramSocket("127.0.0.1", 0))
        eve.socket = home
        await eve.join()
        assert await eve.is_heard_by(bob)
        worker.close("room", "eve")
        away = await move(ann, home)
        assert await ann.is_heard_by(bob)
        away.close()


async def test_a_restart_changes_nothing_until_its_first_check(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob), recorded(worker) as events:
        before = bob.negotiated.sdp
        await restart(bob)
        assert "o=- 1 2 " in bob.negotiated.sdp
        assert bob.negotiated.sdp.count("a=ssrc:") == before.count("a=ssrc:")
        assert [x for x in bob.negotiated.sdp.splitlines() if "ice-" not in x and not x.startswith("o=")] == [
            x for x in before.splitlines() if "ice-" not in x and not x.startswith("o=")
        ]
        assert await ann.is_heard_by(bob)
        assert await bob.is_heard_by(ann)
        old = await move(bob, DatagramSocket("127.0.0.1", 0), nominate=False)
        assert await ann.is_heard_by(bob)
        assert await bob.is_heard_by(ann)
        assert ann.heard_gaps == bob.heard_gaps == 0
        assert events == []
        old.close()


async def test_the_old_credentials_hold_until_a_path_of_the_new_ones_is_nominated(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob):
        old_remote, old_ufrag = bob.remote, bob.ufrag
        await restart(bob)
        new_remote, new_ufrag = bob.remote, bob.ufrag
        bob.remote, bob.ufrag = old_remote, old_ufrag
        bob.check()
        await answered(bob)
        bob.remote, bob.ufrag = new_remote, new_ufrag
        bob.check()
        await answered(bob)
        bob.remote, bob.ufrag = old_remote, old_ufrag
        bob.check()
        assert await ann.is_heard_by(bob)  # and no answer, which would have come first
        assert bob.socket.receive() == 0


async def test_an_offer_that_is_repeated_is_answered_as_before(worker: Worker) -> None:
    """The answer was lost with the websocket."""
    ann = Voice(worker, "room", "ann")
    async with voices(ann):
        again = worker.negotiate("room", "ann", ann.offer(), muted=False)
        assert again.voice_id == ann.negotiated.voice_id
        ann.take(again.sdp)
        ann.check()
        await answered(ann)


async def test_a_restart_says_whether_it_is_muted(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob):
        worker.negotiate("room", "ann", ann.restart(), muted=True)
        assert await bob.hears_nothing_of(ann)


async def test_a_restart_with_other_m_lines_is_refused(worker: Worker) -> None:
    ann = Voice(worker, "room", "ann")
    async with voices(ann):
        ann.slots += 1
        with pytest.raises(BadOffer, match="m-lines"):
            worker.negotiate("room", "ann", ann.restart(), muted=False)


async def test_a_voice_may_restart_as_long_as_it_is_not_lost(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob), recorded(worker) as events:
        assert await ann.is_heard_by(bob)
        now = time.monotonic()
        await restart(ann)
        worker.tick(now + 6, 0.0)  # too long for one who speaks, were it not for the offer
        assert not any(isinstance(event, VoiceLostEvent) for event in events)
        ann.check()
        await answered(ann)
        assert await ann.is_heard_by(bob)


async def test_a_dead_path_is_left_at_the_first_check_from_elsewhere(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The router of the client's network has given it another port, and it has not noticed."""
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob):
        monkeypatch.setattr("media.paths.CONSENT", -1.0)
        old = await move(bob, DatagramSocket("127.0.0.1", 0), nominate=False)
        assert await ann.is_heard_by(bob)
        assert await bob.is_heard_by(ann)
        old.close()


async def test_a_living_path_is_not(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob):
        old = await move(bob, DatagramSocket("127.0.0.1", 0), nominate=False)
        bob.socket, new = old, bob.socket
        assert await ann.is_heard_by(bob)
        new.close()
