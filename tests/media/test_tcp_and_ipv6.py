"""A participant over TCP, over IPv6, or over both, among others that are over UDP."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest

from media.datagrams import DatagramSocket, PacketSocket
from media.events import VoiceLostEvent
from media.packet_loop import MakeLoop
from media.streams import SILENT_SECONDS, StreamSocket
from media.worker import Worker
from tests.media.browser import until
from tests.media.dialled import Dialled
from tests.media.hosts import HOSTS
from tests.media.voices import Voice, recorded, voices


@pytest.fixture
async def worker(packet_loop: MakeLoop) -> AsyncIterator[Worker]:
    """On 127.0.0.1 and ::1 where there is one, by UDP and by TCP."""
    sockets: list[PacketSocket] = [StreamSocket("127.0.0.1", 0)]
    sockets += [DatagramSocket(host, 0) for host in HOSTS]
    sockets += [StreamSocket(host, 0) for host in HOSTS[1:]]
    running = Worker(sockets, packet_loop=packet_loop)
    async with running.running():
        yield running


def voice(worker: Worker, user: str, protocol: str, host: str) -> Voice:
    made = Voice(worker, "room", user, slots=3)
    made.goes_by(protocol, host)
    return made


async def test_everybody_hears_everybody(worker: Worker) -> None:
    four = [
        voice(worker, f"{protocol} {host}", protocol, host) for protocol in ("udp", "tcp") for host in HOSTS
    ]
    async with voices(*four):
        for each in four:
            assert await each.is_heard_by(*(other for other in four if other is not each))
        assert all(each.heard_gaps == 0 for each in four)


async def test_the_answer_has_every_candidate_tcp_below_udp(worker: Worker) -> None:
    ann = Voice(worker, "room", "ann")
    async with voices(ann):
        sdp = ann.negotiated.sdp
    lines = [line.split() for line in sdp.splitlines() if line.startswith("a=candidate")]
    assert [(words[2], words[4], words[6:]) for words in lines] == [
        *(("udp", host, ["typ", "host"]) for host in HOSTS),
        *(("tcp", host, ["typ", "host", "tcptype", "passive"]) for host in HOSTS),
    ]
    priorities = [int(words[3]) for words in lines]
    assert priorities == sorted(priorities, reverse=True)
    assert len({words[0] for words in lines}) == len(lines)


async def test_a_connection_that_ends_is_forgotten_and_the_next_one_goes_on(worker: Worker) -> None:
    """A network that cuts long connections: the client dials again, with the same credentials."""
    ann, bob = voice(worker, "ann", "tcp", "127.0.0.1"), voice(worker, "bob", "udp", "127.0.0.1")
    async with voices(ann, bob):
        assert await ann.is_heard_by(bob)
        ann.socket.close()
        stream = worker.sockets[0]
        assert isinstance(stream, StreamSocket)
        await until(lambda: len(stream) == 0)
        worker.tick(time.monotonic(), 0.0)
        ann.socket = Dialled()
        ann.check(nominate=False)
        await until(ann.socket.receive)
        assert await bob.is_heard_by(ann)
        assert await ann.is_heard_by(bob)


async def test_from_tcp_to_udp_and_back_by_nomination(worker: Worker) -> None:
    ann, bob = voice(worker, "ann", "tcp", "127.0.0.1"), voice(worker, "bob", "udp", HOSTS[-1])
    async with voices(ann, bob):
        over_tcp, tcp_server = ann.socket, ann.server
        ann.socket, ann.protocol = DatagramSocket("127.0.0.1", 0), "udp"
        ann.take(ann.negotiated.sdp)
        ann.check()
        await until(ann.socket.receive)
        assert await bob.is_heard_by(ann)
        over_udp, ann.socket, ann.server = ann.socket, over_tcp, tcp_server
        ann.check()
        await until(ann.socket.receive)
        assert await bob.is_heard_by(ann)
        assert ann.heard_gaps == 0
        over_udp.close()


async def test_a_slow_listener_hurts_nobody(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media.streams._BUFFER", 4096)
    ann, bob = voice(worker, "ann", "udp", "127.0.0.1"), voice(worker, "bob", "udp", "127.0.0.1")
    slow = voice(worker, "slow", "tcp", "127.0.0.1")
    assert isinstance(slow.socket, Dialled)
    slow.socket.takes_little()
    async with voices(ann, bob, slow):
        stream = worker.sockets[0]
        async with asyncio.timeout(30):
            while not stream.unsent:
                ann.send(bytes(1200))
                await asyncio.sleep(0.005)  # no more a second than a speaker may send
        assert await ann.is_heard_by(bob)
        assert bob.heard_gaps == 0


async def test_who_says_nothing_over_tcp_is_let_go(worker: Worker) -> None:
    stream = worker.sockets[0]
    assert isinstance(stream, StreamSocket)
    stranger = Dialled()
    host, port = stream.host, stream.port
    ann = voice(worker, "ann", "tcp", "127.0.0.1")
    async with voices(ann), recorded(worker) as events:
        with socket.create_connection((host, port)) as silent:
            await until(lambda: len(stream) == 2)
            now = time.monotonic()
            worker.tick(now, 0.0)
            worker.tick(now + 12, 0.0)
            assert len(stream) == 1
            silent.settimeout(5)
            assert silent.recv(1) == b""
        worker.tick(now + 12 + SILENT_SECONDS, 0.0)
        assert len(stream) == 0
        await until(lambda: events)
        assert events == [VoiceLostEvent("room", "ann", ann.negotiated.voice_id, "timeout")]
    stranger.close()
