"""The page: `web/` under /static/, one index.html for each of its own addresses, and what it is told.

The page's addresses are those of `ADDRESSES`, `/r/{id}` and `/invite/{code}`: not `/rooms/{id}`, which is the
REST API's. An unknown address is answered with the page, too, where a browser goes to it.

A file is at two addresses. `/static/{name}` is the file as it is, asked about each time (ETag). Below
`/static/v-{version}/`, which is what the page uses, it is kept for good, and modules are packed.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from pathlib import Path

from aiohttp import web

from common.config import ConfigError
from gateway import edition
from gateway.addresses import Addresses
from gateway.answers import json_answer
from gateway.config import Config
from gateway.edition import STATIC, Edition
from gateway.files import Folder

ADDRESSES = ("/", "/account", "/doctor", "/login", "/forgot", "/reset", "/verify")
# What follows them is the page's to read: the room, the invite.
PREFIXES = ("/r/", "/invite/")
VERSIONED = re.compile(r"v-([0-9a-f]{12})/(.+)")
FOR_GOOD = "public, max-age=31536000, immutable"
# The answer is the page, at an address that nobody has.
NOTHING_HERE = web.RequestKey("nothing_here", bool)


class Pages:
    def __init__(self, config: Config, addresses: Addresses) -> None:
        self._addresses = addresses
        if not Path(config.web_dir).is_dir():
            raise ConfigError(f"GATEWAY_WEB_DIR={config.web_dir} is no folder.")
        self._path = Path(config.web_dir)
        self._folder = Folder(self._path)
        self._packed = config.web_modules == "packed"
        self._edition = edition.read(self._path, packed=self._packed)

    def add_to(self, app: web.Application) -> None:
        for path in (*ADDRESSES, "/r/{id}", "/invite/{code}"):
            app.router.add_get(path, self.index)
        app.router.add_get("/config.json", self.settings)
        app.router.add_get(STATIC + "{path:.+}", self.file)

    async def index(self, request: web.Request) -> web.StreamResponse:
        now = await self._now()
        hints = now.hints_of_room if request.path.startswith("/r/") else now.hints
        return self._index(request, now, now.hints_of_rooms if request.path == "/" else hints)

    async def nothing(self, request: web.Request) -> web.StreamResponse | None:
        """The page, which says that there is nothing at this address; None where there is no page either."""
        now = await self._now()
        if now.index is None:
            return None
        request[NOTHING_HERE] = True
        answer = self._index(request, now, now.hints, status=404)
        answer.headers["Cache-Control"] = "no-store"  # there may be something another time
        return answer

    @staticmethod
    def _index(request: web.Request, now: Edition, hints: str, *, status: int = 200) -> web.StreamResponse:
        if now.index is None:
            raise web.HTTPNotFound
        answer = now.index.answer(request, status=status)
        answer.headers["Link"] = hints
        return answer

    async def file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["path"]
        if not (versioned := VERSIONED.fullmatch(name)):
            return await self._folder.answer(request, name)
        version, name = versioned.groups()
        now = self._edition
        file = now.packs.get(name) or await self._folder.file(name)
        answer = file.answer(request)
        # A page that was open before its files changed, or came from another gateway, gets what there is now.
        if version == now.version and (name in now.packs or now.etags.get(name) == file.etag):
            answer.headers["Cache-Control"] = FOR_GOOD
        return answer

    async def _now(self) -> Edition:
        """The files as they are: whoever changes one loads the page anew, and sees it."""
        with contextlib.suppress(OSError):  # one goes just now; the next one to look sees it gone
            if await asyncio.to_thread(edition.seen_in, self._path) != self._edition.seen:
                self._edition = await asyncio.to_thread(edition.read, self._path, packed=self._packed)
        return self._edition

    async def settings(self, request: web.Request) -> web.Response:
        return json_answer({"ws_url": self._addresses.websocket(request)})

    def is_page(self, request: web.Request) -> bool:
        """Whether this is the page or one of its files, not the API."""
        path = request.path
        return path in ADDRESSES or path.startswith((*PREFIXES, STATIC)) or NOTHING_HERE in request

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
