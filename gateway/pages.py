"""The page: `web/` under /static/, one index.html for each of its own addresses, and what it is told.

The page's addresses are those of `ADDRESSES` and `/r/{id}`: not `/rooms/{id}`,
which is the REST API's. There is no build step, so names never change with content:
browsers keep a file and ask whether it is still the same (ETag).
"""

from __future__ import annotations

import re
from pathlib import Path

from aiohttp import web

from common.config import ConfigError
from gateway.answers import json_answer
from gateway.clients import SECURE
from gateway.config import Config
from gateway.files import Folder

STATIC = "/static"
ADDRESSES = ("/", "/login", "/forgot", "/reset", "/verify")
# A Host header is the client's to write, and this goes into a header and into the page.
HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")


class Pages:
    def __init__(self, config: Config) -> None:
        self._config = config
        if not Path(config.web_dir).is_dir():
            raise ConfigError(f"GATEWAY_WEB_DIR={config.web_dir} is no folder.")
        self._folder = Folder(Path(config.web_dir))

    def add_to(self, app: web.Application) -> None:
        for path in (*ADDRESSES, "/r/{id}"):
            app.router.add_get(path, self.index)
        app.router.add_get("/config.json", self.settings)
        app.router.add_get(STATIC + "/{path:.+}", self.file)

    async def index(self, request: web.Request) -> web.StreamResponse:
        return await self._folder.answer(request, "index.html")

    async def file(self, request: web.Request) -> web.StreamResponse:
        return await self._folder.answer(request, request.match_info["path"])

    async def settings(self, request: web.Request) -> web.Response:
        return json_answer({"ws_url": self.ws_url(request)})

    def ws_url(self, request: web.Request) -> str:
        """Where a browser that came here finds the websocket."""
        if self._config.ws_url:
            return self._config.ws_url
        scheme = "wss" if request[SECURE] else "ws"
        return f"{scheme}://{_host(request)}:{self._config.ws_port}"

    def is_page(self, request: web.Request) -> bool:
        """Whether this is the page or one of its files, not the API."""
        path = request.path
        return path in ADDRESSES or path.startswith(("/r/", STATIC + "/"))

    def policy(self, request: web.Request) -> str:
        """The page's Content-Security-Policy: our own files, our own addresses, nothing inline."""
        ws_origin = "/".join(self.ws_url(request).split("/", 3)[:3])
        return "; ".join(
            (
                "default-src 'self'",
                f"connect-src 'self' {ws_origin}",
                "img-src 'self' data: blob:",
                "media-src 'self' blob:",
                "object-src 'none'",
                "base-uri 'none'",
                "form-action 'self'",
                "frame-ancestors 'none'",
            )
        )


def _host(request: web.Request) -> str:
    """The host a request was sent to, without its port; `localhost` for one that cannot be."""
    host = request.host.rpartition(":")[0] if re.search(r":\d+$", request.host) else request.host
    return host if HOST.fullmatch(host) else "localhost"
