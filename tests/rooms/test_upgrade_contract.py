"""What rooms/websocket/upgrade.py takes for granted of aiohttp. Where one fails, aiohttp has changed."""

import asyncio
import base64
import gc
import os
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from rooms.websocket import wire
from rooms.websocket.upgrade import nobody_answers, take
from tests.rooms.kit import PATIENCE


class Echo(asyncio.Protocol):
    """Sends back what it gets, in capitals."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.gone = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.transport.write(data.upper())

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()


class Site:
    """An aiohttp server whose one handler gives its socket away."""

    def __init__(self) -> None:
        self.port = 0
        self.runner: web.AppRunner
        self.echoes: list[Echo] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        answer = wire.accept(request.headers)
        assert answer is not None
        self.echoes.append(take(request, answer, Echo))
        return nobody_answers()

    async def connect(self, behind: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """An upgraded connection; `behind` goes out in one piece with the request."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            "GET / HTTP/1.1\r\nHost: here\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
            + behind
        )
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert head.startswith(b"HTTP/1.1 101 ")
        return reader, writer


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_get("/", site.handle)
    site.runner = web.AppRunner(app, access_log=None)
    await site.runner.setup()
    await web.TCPSite(site.runner, "127.0.0.1", 0).start()
    site.port = site.runner.addresses[0][1]
    yield site
    for writer in site.writers:
        writer.close()
        await writer.wait_closed()
    for echo in site.echoes:
        await asyncio.wait_for(echo.gone.wait(), PATIENCE)
    await site.runner.cleanup()


@pytest.mark.parametrize("name", ["set_parser", "connection_lost", "transport"])
def test_the_names_are_there(name: str) -> None:
    assert hasattr(RequestHandler, name), (
        f"aiohttp's RequestHandler has no {name} any more: upgrade.py needs another way to take sockets"
    )


async def test_the_socket_is_ours_after_the_handler_has_returned(site: Site) -> None:
    reader, writer = await site.connect()
    for word in (b"one", b"two"):
        writer.write(word)
        assert await asyncio.wait_for(reader.readexactly(3), PATIENCE) == word.upper(), (
            "aiohttp closes or reads a socket that was taken from it"
        )


async def test_what_came_right_behind_the_request_is_not_lost(site: Site) -> None:
    reader, _ = await site.connect(b"early")
    assert await asyncio.wait_for(reader.readexactly(5), PATIENCE) == b"EARLY", (
        "set_parser of aiohttp's RequestHandler no longer hands over what is there already"
    )


async def test_nothing_of_aiohttp_stays_behind_it(site: Site) -> None:
    before = [*http_objects()]
    reader, writer = await site.connect()
    server = site.runner.server
    assert server is not None
    assert server.connections == [], "aiohttp still counts a connection that was taken from it"
    writer.write(b"ping")
    await asyncio.wait_for(reader.readexactly(4), PATIENCE)
    gc.collect()
    left = [each for each in http_objects() if not any(each is other for other in before)]
    assert left == [], "what belonged to aiohttp lives on beside a socket that was taken from it"


def http_objects() -> Iterator[object]:
    """All that there are in this process."""
    return (each for each in gc.get_objects() if isinstance(each, (web.Request, RequestHandler)))
