"""Whatever comes to the port, from anybody or from a participant's own address: the voices go on."""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aioice import stun

from bench.forward.client import Client
from media.datagrams import DatagramSocket
from media.events import VoiceLostEvent
from media.packet_loop import Drop, MakeLoop, Rates
from media.worker import LOST_SILENT, Limits, Worker
from tests.media.browser import until
from tests.media.voices import Voice, recorded, voices


@pytest.fixture(autouse=True)
async def complaints() -> AsyncIterator[list[dict[str, Any]]]:
    """Errors that nobody caught reach the event loop; there must be none."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    yield found
    assert found == []


def noise(dice: random.Random) -> bytes:
    """A datagram that looks like STUN, DTLS, RTP, RTCP or nothing, more or less."""
    body = dice.randbytes(dice.choice([0, 1, 3, 12, 20, 60, 300, 1400, 1900]))
    cookie = struct.pack(">HHI", 1, max(0, len(body) - 12), 0x2112A442)
    record = bytes([22, 0xFE, 0xFD, 0, 0]) + bytes(6) + struct.pack(">H", len(body))
    return dice.choice(
        [
            body,
            cookie + body,
            record + body,
            record + b"\x01" + body,
            bytes([dice.choice([20, 21, 23, 25, 63])]) + body,
            bytes([dice.randrange(128, 192), dice.randrange(256)]) + body,
            bytes([0x90, 111]) + body,
            bytes([0x80, 200]) + body,
        ]
    )


async def test_a_flood_of_noise_and_the_call_goes_on(worker: Worker) -> None:
    dice = random.Random(1)
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    stranger = DatagramSocket("127.0.0.1", 0)
    async with voices(ann, bob):
        for _ in range(100):
            for _ in range(20):
                stranger.send(ann.server, noise(dice))
                ann.socket.send(ann.server, noise(dice))
            await asyncio.sleep(0)
        assert await ann.is_heard_by(bob)
        assert await bob.is_heard_by(ann)
        assert bob.heard_gaps == 0
    stranger.close()


async def test_mutations_of_real_packets_too(worker: Worker) -> None:
    dice = random.Random(2)
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    seen: list[bytes] = []

    async with voices(ann, bob):
        seen += [sent_by(ann), *(noise(dice) for _ in range(5))]
        for _ in range(2000):
            datagram = bytearray(dice.choice(seen))
            for _ in range(dice.randrange(1, 4)):
                if datagram:
                    datagram[dice.randrange(len(datagram))] = dice.randrange(256)
            ann.socket.send(ann.server, bytes(datagram))
            if dice.random() < 0.05:
                await asyncio.sleep(0)
        assert await ann.is_heard_by(bob)
        assert await bob.is_heard_by(ann)


def sent_by(client: Client) -> bytes:
    """A real encrypted packet of the client's."""
    client.send(b"opus")
    return bytes(client.socket.outbox.buffer[: client.socket.outbox.sizes[1]])


async def test_a_replayed_check_from_elsewhere_moves_nothing(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody on the way copies a nominating check and sends it from their own address."""
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob):
        copied: list[bytes] = []
        send = bob.socket.send

        def copy_and_send(to: bytes, datagram: bytes) -> None:
            copied.append(datagram)
            send(to, datagram)

        monkeypatch.setattr(bob.socket, "send", copy_and_send)
        bob.check()
        thief = DatagramSocket("127.0.0.1", 0)
        assert await ann.is_heard_by(bob)
        thief.send(bob.server, copied[0])
        assert await ann.is_heard_by(bob)
        for i in range(thief.receive()):  # an answer at most, and not one packet of voice
            assert thief.inbox.buffer[i * 2048] < 4
        thief.close()


async def test_a_forged_check_moves_nothing(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with voices(ann, bob):
        ufrag = next(
            line.split(":")[1] for line in bob.negotiated.sdp.splitlines() if line.startswith("a=ice-ufrag")
        )
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes = {"USERNAME": f"{ufrag}:{bob.ufrag}", "USE-CANDIDATE": None}
        request.add_message_integrity(b"not the password of the answer")
        thief = DatagramSocket("127.0.0.1", 0)
        thief.send(bob.server, bytes(request))
        assert await ann.is_heard_by(bob)
        assert thief.receive() == 0
        thief.close()


async def test_a_replayed_packet_changes_nothing(worker: Worker) -> None:
    """Neither from where it came from nor from elsewhere: no listener gets it, nobody counts as heard."""
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    thief = DatagramSocket("127.0.0.1", 0)
    async with voices(ann, bob):
        voice = sent_by(ann)
        await until(bob.receive)
        assert await ann.is_heard_by(bob)
        number = next(n for n, each in worker._voices.by_number.items() if each.user_id == "ann")
        await until(lambda: worker.forwarder.levels() == {})
        heard, before = worker.forwarder.heard(number), list(worker.forwarder.counters.drops)
        for _ in range(20):
            ann.socket.send(ann.server, voice)
            thief.send(ann.server, voice)
        await until(lambda: worker.forwarder.counters.dropped - sum(before) == 40)
        drops = worker.forwarder.counters.drops
        assert drops[Drop.REPLAYED] - before[Drop.REPLAYED] == 20
        assert drops[Drop.STRANGER] - before[Drop.STRANGER] == 20
        assert worker.forwarder.heard(number) == heard
        assert worker.forwarder.levels() == {}
        assert bob.receive() == 0
        assert thief.receive() == 0
    thief.close()


async def test_what_a_participant_sends_a_second_is_bounded_in_packets_and_octets(
    packet_loop: MakeLoop,
) -> None:
    """And nobody else's is: the others' packets all come."""
    rates = Rates(packets=60, octets=30_000)
    sockets = [DatagramSocket("127.0.0.1", 0)]
    worker = Worker(sockets, limits=Limits(rates=rates), packet_loop=packet_loop)
    async with worker.running():
        loud, large, bob = (Voice(worker, "room", user) for user in ("loud", "large", "bob"))
        async with voices(loud, large, bob):
            for _ in range(200):
                loud.send(b"opus")
            for _ in range(50):
                large.send(bytes(1200))

            def all_came() -> bool:
                counters = worker.forwarder.counters
                return counters.received + counters.drops[Drop.TOO_MANY] == 250

            await until(all_came)
            # A second may have begun anew in between, on a slow machine.
            assert worker.forwarder.counters.drops[Drop.TOO_MANY] >= 250 - 2 * (60 + 30_000 // 1200 + 1)
            assert await bob.is_heard_by(loud, large)


async def test_what_anybody_can_send_keeps_no_voice_alive(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copied check, and DTLS under a participant's address: neither shows that the participant is there."""
    ann = Voice(worker, "room", "ann")
    async with voices(ann), recorded(worker) as events:
        copied: list[bytes] = []
        monkeypatch.setattr(ann.socket, "send", lambda _, datagram: copied.append(datagram))
        ann.check()
        monkeypatch.undo()
        ann.socket.send(ann.server, copied[0])
        await until(ann.socket.receive)
        seen = time.monotonic()
        while ann.socket.receive() == 0:  # the answer to the copy
            ann.socket.send(ann.server, bytes([23, 0xFE, 0xFD, 0, 1]) + bytes(60))
            ann.socket.send(ann.server, copied[0])
            await asyncio.sleep(0.01)
        worker.tick(seen + LOST_SILENT + 0.01, 0.0)
        await until(lambda: events)
        assert events == [VoiceLostEvent("room", "ann", ann.negotiated.voice_id, "timeout")]


async def test_a_flood_of_checks_and_records_is_cut_off_early(worker: Worker) -> None:
    """Before anything is worked out: the others have the time that is left."""
    ann, bob, eve = (Voice(worker, "room", user) for user in ("ann", "bob", "eve"))
    async with voices(ann, bob, eve):
        async with asyncio.timeout(20):
            while worker.forwarder.counters.drops[Drop.TOO_MANY] < 1000:
                for _ in range(50):
                    eve.check()
                    eve.socket.send(eve.server, bytes([22, 0xFE, 0xFD, 0, 1]) + bytes(60))
                await asyncio.sleep(0)
        assert await ann.is_heard_by(bob)
