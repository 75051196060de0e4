"""Where browsers find the page and the websocket."""

from __future__ import annotations

import re

from aiohttp import web

from gateway.clients import SECURE
from gateway.config import Config

# A Host header is the client's to write, and this goes into a header and into the page.
HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")


class Addresses:
    def __init__(self, config: Config) -> None:
        self._config = config

    def websocket(self, request: web.Request) -> str:
        """Where a browser that came here finds the websocket, without a path."""
        if self._config.ws_url:
            return self._config.ws_url
        scheme = "wss" if request[SECURE] else "ws"
        return f"{scheme}://{_host(request)}:{self._config.ws_port}"

    def invite(self, code: str) -> str:
        """The page that accepts this invite. It is sent to others, so no header has a say in it."""
        return f"{self._config.public_url}/invite/{code}"


def _host(request: web.Request) -> str:
    """The host a request was sent to, without its port; `localhost` for one that cannot be."""
    host = request.host.rpartition(":")[0] if re.search(r":\d+$", request.host) else request.host
    return host if HOST.fullmatch(host) else "localhost"
