"""Where browsers find the page and the websocket."""

from __future__ import annotations

import re

from aiohttp import web

from common.clients import SECURE
from gateway.config import Config

# A Host header is the client's to write, and this goes into a header and into the page.
HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")


class Addresses:
    def __init__(self, config: Config) -> None:
        self._config = config

    def websocket(self, request: web.Request) -> str:
        """Where a browser that came here finds the websocket, without a path.

        Who came over TLS came through a proxy, which has the websocket at the same origin: browsers that were
        told to trust a certificate for the page do not always believe it at another port.
        """
        if self._config.ws_url:
            return self._config.ws_url
        host, port = _host(request)
        return f"wss://{host}{port}" if request[SECURE] else f"ws://{host}:{self._config.ws_port}"

    def invite(self, code: str) -> str:
        """The page that accepts this invite. It is sent to others, so no header has a say in it."""
        return f"{self._config.public_url}/invite/{code}"


def _host(request: web.Request) -> tuple[str, str]:
    """The host a request was sent to, and `:port` where it was named; `localhost` for what cannot be."""
    match = HOST.fullmatch(request.host)
    return (match[1], match[2] or "") if match else ("localhost", "")
