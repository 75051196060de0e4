"""The page: `web/` under /static/, one index.html for each of its own addresses, and what it is told.

The page's addresses are those of `ADDRESSES`, `/r/{id}` and `/invite/{code}`: not `/rooms/{id}`,
which is the REST API's. There is no build step, so names never change with content:
browsers keep a file and ask whether it is still the same (ETag).
"""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from common.config import ConfigError
from gateway.addresses import Addresses
from gateway.answers import json_answer
from gateway.config import Config
from gateway.files import Folder
from gateway.modules import modules_of

STATIC = "/static"
ADDRESSES = ("/", "/account", "/doctor", "/login", "/forgot", "/reset", "/verify")
# What follows them is the page's to read: the room, the invite.
PREFIXES = ("/r/", "/invite/")
# What the page begins with, and what is asked for besides where one comes to a room at once.
ENTRY, ROOM = "app.js", "pages/room.js"
ROOM_SHEETS = ("room.css", "chat.css", "study.css")


class Pages:
    def __init__(self, config: Config, addresses: Addresses) -> None:
        self._addresses = addresses
        if not Path(config.web_dir).is_dir():
            raise ConfigError(f"GATEWAY_WEB_DIR={config.web_dir} is no folder.")
        folder = Path(config.web_dir)
        self._folder = Folder(folder)
        # As they are at the start: a hint that is out of date costs a request and nothing else.
        self._hints = _hints(modules_of(folder, (ENTRY,)))
        self._hints_of_room = _hints(modules_of(folder, (ENTRY, ROOM)), ROOM_SHEETS)

    def add_to(self, app: web.Application) -> None:
        for path in (*ADDRESSES, "/r/{id}", "/invite/{code}"):
            app.router.add_get(path, self.index)
        app.router.add_get("/config.json", self.settings)
        app.router.add_get(STATIC + "/{path:.+}", self.file)

    async def index(self, request: web.Request) -> web.StreamResponse:
        answer = await self._folder.answer(request, "index.html")
        in_room = request.path.startswith("/r/")
        answer.headers["Link"] = self._hints_of_room if in_room else self._hints
        return answer

    async def file(self, request: web.Request) -> web.StreamResponse:
        return await self._folder.answer(request, request.match_info["path"])

    async def settings(self, request: web.Request) -> web.Response:
        return json_answer({"ws_url": self._addresses.websocket(request)})

    def is_page(self, request: web.Request) -> bool:
        """Whether this is the page or one of its files, not the API."""
        path = request.path
        return path in ADDRESSES or path.startswith((*PREFIXES, STATIC + "/"))

    def policy(self, request: web.Request) -> str:
        """The page's Content-Security-Policy: our own files, our own addresses, nothing inline."""
        ws_origin = "/".join(self._addresses.websocket(request).split("/", 3)[:3])
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


def _hints(modules: list[str], sheets: tuple[str, ...] = ()) -> str:
    """A Link header (RFC 8288) by which modules and style sheets come side by side."""
    styles = [f"<{STATIC}/{name}>; rel=preload; as=style" for name in sheets]
    return ", ".join([*styles, *(f"<{STATIC}/{name}>; rel=modulepreload" for name in modules)])
