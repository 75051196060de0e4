"""A socket leaves aiohttp: after the upgrade nothing of it stays behind the websocket.

aiohttp's own websocket keeps a request, a parser and two tasks for each connection
(28 KB in all), writes frame by frame, and lets some things pass that RFC 6455
forbids. It has no way to give a socket away, so this uses three things of its
protocol that its documentation does not name; all three are public names, and
tests/rooms/test_upgrade_contract.py says which and notices when they change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from aiohttp import web


class _Tail:
    """What came right behind the request, before anybody could read it as frames."""

    def __init__(self) -> None:
        self.data = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        pass


P = TypeVar("P", bound=asyncio.Protocol)


def take(request: web.Request, answer: bytes, make: Callable[[asyncio.Transport], P]) -> P:
    """Send `answer`, which agrees to the upgrade, and hand the socket to what `make` returns.

    The handler then returns `nobody_answers()`. Raises ConnectionResetError where the client is gone already.
    """
    http: Any = request.protocol
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client is gone")
    tail = _Tail()
    http.set_parser(tail)
    http.transport = None  # so that it closes nothing when it hears that the connection is gone
    http.connection_lost(None)
    transport.write(answer)
    protocol = make(transport)
    transport.set_protocol(protocol)
    if tail.data:
        protocol.data_received(tail.data)
    return protocol


def nobody_answers() -> web.Response:
    """What a handler returns once the socket is taken: aiohttp finds nobody to send it to, and is done."""
    return web.Response()
