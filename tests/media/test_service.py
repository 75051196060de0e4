"""The worker over gRPC, as the rooms service uses it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import NamedTuple

import pytest

from bench.forward.client import Client
from common import VERSION, errors, rpc
from common.config import ConfigError, load
from media.config import Config
from media.datagrams import DatagramSocket
from media.events import ALIVE_SECONDS
from media.service import serve
from media.transport import Transport
from proto import media_pb2 as pb
from proto import media_pb2_grpc
from tests.media.offers import chromium, text

CONFIG = load(
    Config,
    {
        "MEDIA_LISTEN": "127.0.0.1:0",
        "MEDIA_HOST": "127.0.0.1",
        "MEDIA_PORT": "0",
        "SERVICE_TOKEN": "secret",
        "MEDIA_DRAIN_MS": "20",
    },
)


class Rooms(NamedTuple):
    """The rooms service's end."""

    client: rpc.Client
    media: media_pb2_grpc.MediaAsyncStub

    async def events(self) -> AsyncIterator[pb.Event]:
        """All but the load, and that it lives, which is told when it pleases."""
        async for event in self.client.stream(self.media.Events, pb.EventsRequest()):
            if event.WhichOneof("event") not in ("load", "alive"):
                yield event

    async def negotiate(
        self, user: str, sdp: str, *, room: str = "room", generation: int = 0
    ) -> pb.NegotiateResponse:
        request = pb.NegotiateRequest(room_id=room, user_id=user, sdp=sdp, generation=generation)
        return await self.client.call(self.media.Negotiate, request)


@pytest.fixture
async def rooms() -> AsyncIterator[Rooms]:
    async with (
        serve(CONFIG) as server,
        rpc.connect(f"127.0.0.1:{server.port}", "media", "secret") as client,
    ):
        stub: media_pb2_grpc.MediaAsyncStub = media_pb2_grpc.MediaStub(client.channel)
        yield Rooms(client, stub)


async def test_a_whole_call(rooms: Rooms) -> None:
    events = rooms.events()
    assert (await anext(events)).hello.worker_id
    ann, bob = Client(slots=2), Client(slots=2)
    first = await rooms.negotiate("ann", ann.offer())
    await ann.connect(first.sdp)
    second = await rooms.negotiate("bob", bob.offer())
    await bob.connect(second.sdp)
    assert list(second.slots) == [pb.Slot(mid="1", user_id="ann"), pb.Slot(mid="2")]
    changed = (await anext(events)).slots
    assert (changed.user_id, changed.voice_id, changed.slots[0].user_id) == ("ann", first.voice_id, "bob")

    ann.send(b"opus", level=27)
    speaking = (await anext(events)).speakers
    assert [(each.user_id, each.level) for each in speaking.speakers] == [("ann", 96)]
    assert bob.receive() == 1

    attach = pb.AttachRequest(room_id="room", user_id="ann", voice_id=first.voice_id)
    assert (await rooms.client.call(rooms.media.Attach, attach)).slots[0].user_id == "bob"
    await rooms.client.call(
        rooms.media.SetMuted, pb.SetMutedRequest(room_id="room", user_id="ann", muted=True)
    )
    assert list((await anext(events)).speakers.speakers) == []
    await rooms.client.call(rooms.media.Close, pb.CloseRequest(room_id="room", user_id="ann"))
    freed = (await anext(events)).slots
    assert (freed.user_id, [slot.user_id for slot in freed.slots]) == ("bob", ["", ""])
    with pytest.raises(errors.NotFound) as gone:
        await rooms.client.call(rooms.media.Attach, attach)
    assert gone.value.code == "VOICE_GONE"

    assert (await rooms.negotiate("bob", bob.restart())).voice_id == second.voice_id
    other = Client(slots=2)
    again = await rooms.negotiate("bob", other.offer())
    assert again.voice_id != second.voice_id
    await other.connect(again.sdp)
    lost = (await anext(events)).voice_lost
    assert (lost.user_id, lost.voice_id, lost.reason) == ("bob", second.voice_id, "taken_over")
    assert (await anext(events)).slots.voice_id == again.voice_id
    other.socket.close()
    ann.socket.close()
    bob.socket.close()


@pytest.mark.parametrize("sdp", ["", "v=0", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n"])
async def test_a_broken_offer_is_the_callers_mistake(rooms: Rooms, sdp: str) -> None:
    with pytest.raises(errors.Malformed) as raised:
        await rooms.negotiate("ann", sdp)
    assert raised.value.code == "BAD_OFFER"
    await rooms.negotiate("ann", text(chromium()))


async def test_what_a_voice_took_is_given_back_when_it_ends(rooms: Rooms) -> None:
    """Without the garbage collector, which would let OpenSSL's memory of some hundred voices pile up."""

    def transports() -> int:
        return sum(type(each) is Transport for each in gc.get_objects())

    gc.collect()
    before = transports()
    gc.disable()
    try:
        ann = Client(slots=2)
        await ann.connect((await rooms.negotiate("ann", ann.offer())).sdp)
        assert transports() == before + 1
        await rooms.client.call(rooms.media.Close, pb.CloseRequest(room_id="room", user_id="ann"))
        async with asyncio.timeout(10):
            while transports() > before:  # noqa: ASYNC110  # nobody says when something is freed
                await asyncio.sleep(0.05)
    finally:
        gc.enable()
    ann.socket.close()


async def test_a_worker_says_its_version_and_that_it_lives(rooms: Rooms) -> None:
    stream = rooms.client.stream(rooms.media.Events, pb.EventsRequest())
    hello = (await anext(stream)).hello
    assert hello.version == VERSION
    assert hello.alive_ms == 1000 * ALIVE_SECONDS
    while not (await anext(stream)).HasField("alive"):
        pass


async def test_an_older_generation_is_refused_and_a_newer_one_ends_the_room(rooms: Rooms) -> None:
    events = rooms.events()
    assert (await anext(events)).hello.worker_id
    voice = (await rooms.negotiate("ann", text(chromium()), generation=7)).voice_id
    assert (await anext(events)).room_held == pb.RoomHeld(room_id="room", generation=7)
    # Who comes later is told as well.
    later = rooms.events()
    assert (await anext(later)).hello.worker_id
    assert (await anext(later)).room_held == pb.RoomHeld(room_id="room", generation=7)

    with pytest.raises(errors.Conflict) as older:
        await rooms.negotiate("bob", text(chromium()), generation=6)
    assert older.value.code == "PLACEMENT_STALE"
    attach = pb.AttachRequest(room_id="room", user_id="ann", voice_id=voice, generation=6)
    with pytest.raises(errors.Conflict):
        await rooms.client.call(rooms.media.Attach, attach)

    for generation in (7, 8):
        ending = pb.EndRoomRequest(room_id="room", generation=generation)
        await rooms.client.call(rooms.media.EndRoom, ending)
    lost = (await anext(events)).voice_lost
    assert (lost.user_id, lost.voice_id, lost.reason) == ("ann", voice, "worker_lost")
    with pytest.raises(errors.Conflict):
        await rooms.negotiate("ann", text(chromium()), generation=7)


async def test_a_stopping_worker_sends_its_rooms_away() -> None:
    async with AsyncExitStack() as worker:
        server = await worker.enter_async_context(serve(replace(CONFIG, drain_ms=400)))
        async with rpc.connect(f"127.0.0.1:{server.port}", "media", "secret") as client:
            stub: media_pb2_grpc.MediaAsyncStub = media_pb2_grpc.MediaStub(client.channel)
            rooms = Rooms(client, stub)
            events = rooms.events()
            assert (await anext(events)).hello.worker_id
            for room in ("one", "two"):
                await rooms.negotiate("ann", text(chromium()), room=room)
            stopping = asyncio.create_task(worker.aclose())
            assert (await anext(events)).HasField("draining")
            with pytest.raises(errors.Unavailable) as refused:
                await rooms.negotiate("bob", text(chromium()), room="one")
            assert refused.value.code == "WORKER_DRAINING"
            told = [(await anext(events)).voice_lost for _ in range(2)]
            assert [(each.room_id, each.reason) for each in told] == [
                ("one", "worker_lost"),
                ("two", "worker_lost"),
            ]
            await stopping


async def test_names_are_needed(rooms: Rooms) -> None:
    with pytest.raises(errors.Malformed):
        await rooms.negotiate("", text(chromium()))


async def test_without_the_service_token_nothing_is_answered() -> None:
    async with serve(CONFIG) as server, rpc.connect(f"127.0.0.1:{server.port}", "media", "guess") as client:
        stub: media_pb2_grpc.MediaAsyncStub = media_pb2_grpc.MediaStub(client.channel)
        with pytest.raises(errors.Internal):
            await client.call(stub.Close, pb.CloseRequest(room_id="room", user_id="ann"))


async def test_stopping_ends_the_stream_of_events() -> None:
    async with AsyncExitStack() as worker:
        server = await worker.enter_async_context(serve(CONFIG))
        async with rpc.connect(f"127.0.0.1:{server.port}", "media", "secret") as client:
            stub: media_pb2_grpc.MediaAsyncStub = media_pb2_grpc.MediaStub(client.channel)
            events = client.stream(stub.Events, pb.EventsRequest())
            assert (await anext(events)).hello.worker_id
            await worker.aclose()
            # To its end, and not cut off when the server's patience was over.
            assert [event.WhichOneof("event") async for event in events] == ["load", "draining"]


async def test_a_port_that_is_taken_is_named() -> None:
    taken = DatagramSocket("127.0.0.1", 0)
    with pytest.raises(ConfigError, match=f"MEDIA_PORT={taken.port}"):
        async with serve(replace(CONFIG, port=taken.port)):
            raise AssertionError("two workers on one port")
    taken.close()
