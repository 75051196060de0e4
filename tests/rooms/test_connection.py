"""A connection over a real socket: what it holds, in which order it writes, and how it ends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from rooms.websocket import wire
from rooms.websocket.connection import (
    EVENTS_AT_ONCE,
    MAX_BYTES,
    MAX_FRAMES,
    Clockwork,
    Connection,
    Timing,
    broadcast,
)
from rooms.websocket.flusher import Flusher
from rooms.websocket.watch import Watch
from tests.rooms import raw
from tests.rooms.kit import PATIENCE


class Ear:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[wire.Event] = asyncio.Queue()
        self.gone = asyncio.Event()

    def heard(self, event: wire.Event, now: float) -> None:
        self.events.put_nowait(event)

    def lost(self) -> None:
        self.gone.set()

    async def wait_until_lost(self) -> None:
        await asyncio.wait_for(self.gone.wait(), PATIENCE)


class Line:
    """A connection and its client, who does nothing by itself."""

    def __init__(self, timing: Timing) -> None:
        self.clockwork = Clockwork(Watch(), Flusher(), timing)
        self.ear = Ear()
        self.client = socket.socket()
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.connection: Connection

    async def open(self) -> Line:
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.client.setblocking(False)
            await loop.sock_connect(self.client, server.getsockname())
            accepted, _ = server.accept()
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, accepted)
        self.connection = Connection(transport, self.clockwork)
        transport.set_protocol(self.connection)
        self.connection.listen(self.ear)
        return self

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.client, data)

    async def read(self, size: int) -> bytes:
        """So many bytes, as the client gets them."""
        data = b""
        async with asyncio.timeout(PATIENCE):
            while len(data) < size:
                more = await asyncio.get_running_loop().sock_recv(self.client, 65536)
                assert more, "the server has hung up"
                data += more
        return data

    async def close(self) -> None:
        self.connection.abort()
        await self.ear.wait_until_lost()
        self.clockwork.watch.close()
        self.client.close()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    line = await Line(Timing(close=0.1)).open()
    yield line
    await line.close()


@pytest.mark.parametrize("size", [0, 100, 16_000, 65_000])
async def test_what_a_frozen_reader_holds_is_bounded(line: Line, size: int) -> None:
    frame = wire.text(b"x" * size)
    while not line.connection.closing:
        line.connection.send(frame)
        assert line.connection.held_frames <= MAX_FRAMES
        assert line.connection.held_bytes <= MAX_BYTES
    assert line.connection.closed_with == (4101, "SLOW_READER")
    await line.ear.wait_until_lost()  # its close frame cannot get through


async def test_a_slow_reader_who_reads_stays(line: Line) -> None:
    page = b"".join(wire.text(b"x" * 16_000) for _ in range(50))
    for _ in range(4):
        for _ in range(50):
            line.connection.send(wire.text(b"x" * 16_000))
        drained = asyncio.create_task(line.connection.drained())
        assert await line.read(len(page)) == page
        await asyncio.wait_for(drained, PATIENCE)
    assert not line.connection.closing


@pytest.mark.parametrize(("crowd", "waits"), [(2, False), (1, True)])
async def test_a_lone_frame_waits_for_others_only_where_it_goes_to_a_crowd(
    line: Line, monkeypatch: pytest.MonkeyPatch, crowd: int, waits: bool
) -> None:
    due: list[tuple[int, int]] = []
    monkeypatch.setattr("rooms.websocket.connection.CROWD", crowd)
    monkeypatch.setattr(
        line.clockwork.flusher, "add", lambda soon, later: due.append((len(soon), len(later)))
    )
    broadcast([line.connection], wire.text(b"hello"))
    assert due == [(0, 1) if waits else (1, 0)]


async def test_frames_of_all_kinds_keep_their_order(line: Line) -> None:
    frames = [
        wire.text(b"a message"),
        wire.frame(wire.Opcode.PONG, b"an answer"),
        wire.frame(wire.Opcode.PING),
        *(wire.text(b"%d" % number) for number in range(200)),
    ]
    for number, frame in enumerate(frames):
        if number % 2:
            broadcast([line.connection], frame)
        else:
            line.connection.send(frame)
        if number % 50 == 0:
            await asyncio.sleep(0)
    line.connection.close(4003, "LEFT")
    line.connection.send(wire.text(b"too late"))
    expected = b"".join(frames) + wire.close(4003, "LEFT")
    assert await line.read(len(expected)) == expected


async def test_a_lone_frame_does_not_wait(line: Line) -> None:
    line.connection.send(wire.text(b"hello"))
    assert line.connection.held_frames == 1  # what is said in the same breath goes with it
    await asyncio.sleep(0)
    assert line.connection.held_frames == 0


async def test_nothing_is_heard_while_it_is_held(line: Line) -> None:
    line.connection.hold()
    await line.send(raw.frame(raw.TEXT, b"one") + raw.frame(raw.TEXT, b"two"))
    line.connection.send(wire.text(b"written all the same"))
    await line.read(22)
    assert line.ear.events.empty()
    line.connection.resume()
    assert [await asyncio.wait_for(line.ear.events.get(), PATIENCE) for _ in range(2)] == ["one", "two"]


async def test_who_does_not_answer_a_close_is_cut_off(line: Line) -> None:
    line.connection.close(4200, "DRAINING")
    await line.ear.wait_until_lost()
    assert line.connection.closed_with == (4200, "DRAINING")


async def test_the_clients_code_comes_back(line: Line) -> None:
    await line.send(raw.close(4999, b"enough"))
    answer = wire.close(4999, "enough")
    assert await line.read(len(answer)) == answer
    await line.ear.wait_until_lost()
    assert line.connection.closed_with == (4999, "enough")


async def test_a_client_that_vanishes_is_lost(line: Line) -> None:
    line.client.close()
    await line.ear.wait_until_lost()
    assert line.connection.closed_with == (1006, "LOST")
    line.connection.send(wire.text(b"to nobody"))


async def test_silence_ends_it_though_pings_were_sent(line: Line) -> None:
    heard_at, ping = line.connection.heard_at, wire.frame(wire.Opcode.PING)
    for after in (15, 30):
        line.connection.due(heard_at + after)
        assert await line.read(len(ping)) == ping
    line.connection.due(heard_at + 34.9)
    assert not line.connection.closing
    line.connection.due(heard_at + 35)
    assert line.connection.closed_with == (4202, "NO_PONG")


async def test_who_answers_a_ping_stays(line: Line) -> None:
    opened_at = line.connection.heard_at
    line.connection.due(opened_at + 15)
    await line.send(raw.frame(raw.PONG))
    assert await asyncio.wait_for(line.ear.events.get(), PATIENCE) == wire.Pong(b"")
    line.connection.due(opened_at + 35)
    assert not line.connection.closing
    line.connection.due(line.connection.heard_at + 35)
    assert line.connection.closed_with == (4202, "NO_PONG")


async def test_the_tokens_end_ends_it_and_a_newer_one_puts_it_off(line: Line) -> None:
    now = asyncio.get_running_loop().time()
    line.connection.expires(now + 0.05)
    line.connection.expires(now + 3600)
    line.connection.due(now + 0.05)
    assert not line.connection.closing
    line.connection.expires(now)
    await line.ear.wait_until_lost()
    assert line.connection.closed_with == (4201, "TOKEN_EXPIRED")


async def test_who_is_let_go_stays_until_everything_is_saved(line: Line) -> None:
    line.connection.saving = 2
    line.connection.leave(4200, "DRAINING")
    line.connection.saved()
    assert not line.connection.closing
    line.connection.saved()
    assert line.connection.closed_with == (4200, "DRAINING")


async def test_nothing_more_is_read_of_who_is_let_go(line: Line) -> None:
    """Not even by what was to read on later: a burst that was cut short, a newer token that is accepted."""
    burst = [raw.frame(raw.TEXT, b"%d" % number) for number in range(EVENTS_AT_ONCE + 1)]
    line.connection.data_received(b"".join(burst))
    assert line.ear.events.qsize() == EVENTS_AT_ONCE  # the rest has its turn later
    line.connection.saving = 1
    line.connection.leave(4200, "DRAINING")
    await asyncio.sleep(0)  # its turn comes
    line.connection.resume()
    assert line.ear.events.qsize() == EVENTS_AT_ONCE
    line.connection.saved()
    assert line.connection.closed_with == (4200, "DRAINING")


async def test_who_is_let_go_while_closing_is_heard_out() -> None:
    line = await Line(Timing(close=PATIENCE)).open()
    line.connection.close(4003, "LEFT")
    line.connection.leave(4200, "DRAINING")
    goodbye = wire.close(4003, "LEFT")
    assert await line.read(len(goodbye)) == goodbye
    await line.send(raw.close(4003, b"LEFT"))
    await line.ear.wait_until_lost()
    assert await asyncio.get_running_loop().sock_recv(line.client, 1) == b""  # hung up, not cut off
    await line.close()
