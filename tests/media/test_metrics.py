"""The worker's figures: what was forwarded, what was dropped and why, how people joined and left."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.forward.client import Client
from common import rpc
from common.config import load
from dev.ports import free_port
from media.config import Config
from media.datagrams import DatagramSocket
from media.metrics import unread
from media.packet_loop import Drop
from media.service import serve
from proto import media_pb2 as pb
from proto import media_pb2_grpc
from tests import figures
from tests.media.ends import LOOPS


class Rooms:
    """The rooms service's end, and the people whose offers it passes on."""

    def __init__(self, client: rpc.Client, page: figures.Page, port: int) -> None:
        self.client, self.page, self.port = client, page, port
        self.media: media_pb2_grpc.MediaAsyncStub = media_pb2_grpc.MediaStub(client.channel)

    async def person(self, user_id: str) -> Client:
        person = Client(2)
        offer = pb.NegotiateRequest(room_id="room", user_id=user_id, sdp=person.offer())
        await person.connect((await self.client.call(self.media.Negotiate, offer)).sdp)
        return person


@asynccontextmanager
async def running(**given: str) -> AsyncIterator[Rooms]:
    listen, voices = f"127.0.0.1:{free_port()}", free_port()
    settings = {
        "MEDIA_LISTEN": "127.0.0.1:0",
        "MEDIA_HOST": "127.0.0.1",
        "MEDIA_PORT": str(voices),
        "MEDIA_DRAIN_MS": "20",
        "METRICS_LISTEN": listen,
        **given,
    }
    async with (
        serve(load(Config, settings)) as server,
        rpc.connect(f"127.0.0.1:{server.port}", "media", "") as client,
        figures.page(listen) as page,
    ):
        yield Rooms(client, page, voices)


@pytest.fixture(params=["python", "auto"])
async def rooms(request: pytest.FixtureRequest) -> AsyncIterator[Rooms]:
    async with running(MEDIA_LOOP=request.param) as made:
        yield made


@pytest.mark.skipif("native" not in LOOPS, reason="there is no C compiler")
async def test_the_overload_mode_is_shown() -> None:
    async with asyncio.timeout(figures.PATIENCE_S), running(MEDIA_OVERLOAD="always") as rooms:
        found = await rooms.page.until(lambda found: found("cwrk_media_overload_ticks_total") > 1)
        assert (found("cwrk_media_overload"), found("cwrk_media_overloads_total")) == (1, 0)
    async with asyncio.timeout(figures.PATIENCE_S), running(MEDIA_OVERLOAD="never") as rooms:
        found = await rooms.page.until(lambda found: found("cwrk_media_overload") == 0)
        assert found("cwrk_media_overload_ticks_total") == found("cwrk_media_overload_segments_total") == 0


async def test_packets_that_went_on_and_those_that_did_not(rooms: Rooms) -> None:
    async with asyncio.timeout(figures.PATIENCE_S):
        ann, ben = await rooms.person("1"), await rooms.person("2")
    await rooms.page.until(lambda found: found("cwrk_media_join_seconds_count") == 2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        for _ in range(5):
            ann.send(b"opus")
        for _ in range(3):
            other.sendto(bytes([0x80]) + bytes(40), ("127.0.0.1", rooms.port))
        other.sendto(bytes([0xFF]) * 8, ("127.0.0.1", rooms.port))
        other.sendto(bytes(20), ("127.0.0.1", rooms.port))  # as STUN begins
        found = await rooms.page.until(
            lambda found: (
                found("cwrk_media_packets_forwarded_total") == 5
                and found("cwrk_media_packets_dropped_total", reason="stranger") == 4
                and found("cwrk_media_packets_dropped_total", reason="unreadable") == 1
            )
        )
    assert found("cwrk_media_packets_received_total") == 5
    assert found("cwrk_media_rooms") == 1
    assert found("cwrk_media_voices") == found("cwrk_media_producers") == 2
    assert (found("cwrk_media_slots"), found("cwrk_media_slots_filled")) == (4, 2)
    assert found("cwrk_media_join_seconds_count") == 2
    assert 0 < found("cwrk_media_join_seconds_sum") < figures.PATIENCE_S
    reasons = {drop.name.lower() for drop in Drop} | {"unsent_udp", "unsent_tcp", "unread"}
    assert found.values_of("cwrk_media_packets_dropped_total", "reason") == reasons

    await rooms.client.call(rooms.media.SetMuted, pb.SetMutedRequest(room_id="room", user_id="1", muted=True))
    ann.send(b"opus")
    found = await rooms.page.until(
        lambda found: found("cwrk_media_packets_dropped_total", reason="muted") == 1
    )
    assert found("cwrk_media_packets_forwarded_total") == 5
    assert found("cwrk_media_producers") == 1

    await rooms.client.call(rooms.media.Close, pb.CloseRequest(room_id="room", user_id="1"))
    found = await rooms.page()
    assert found("cwrk_media_voices_ended_total", reason="left") == 1
    assert found("cwrk_media_voices") == 1
    for person in (ann, ben):
        person.socket.close()


async def test_what_the_kernel_dropped_is_counted_too() -> None:
    """Nobody reads, and more comes than the receive buffer holds."""
    full = DatagramSocket("127.0.0.1", 0)
    try:
        assert unread(full) == 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            for _ in range(200_000):
                flood.sendto(bytes(1200), (full.host, full.port))
                if unread(full):
                    break
        assert unread(full) > 0
        assert full.receive() > 0  # and the socket is as it was
    finally:
        full.close()
