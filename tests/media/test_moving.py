"""A participant whose address changes, by a nominating check of its own, is followed."""

from __future__ import annotations

import asyncio

from media.datagrams import DatagramSocket
from media.worker import Worker
from tests.media.voices import Voice, voices


async def move(voice: Voice, to: DatagramSocket) -> DatagramSocket:
    """Goes on from another socket, once its check is answered; returns the socket of before."""
    attributes = dict(
        line.removeprefix("a=").split(":", 1) for line in voice.negotiated.sdp.splitlines() if ":" in line
    )
    before, voice.socket = voice.socket, to
    voice.check(attributes["ice-ufrag"], attributes["ice-pwd"])
    async with asyncio.timeout(5):
        while to.receive() == 0:  # noqa: ASYNC110  # the answer comes in a socket of the kernel
            await asyncio.sleep(0.01)
    return before


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
