"""/openapi.json, and /docs: a page that shows it, which needs nobody else's server."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from aiohttp import web

from gateway.files import Folder
from gateway.openapi import document

FOLDER = Path(__file__).parent / "reference_page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Docs:
    def __init__(self) -> None:
        self._folder = Folder(FOLDER)
        self._document = json.dumps(document(), ensure_ascii=False, separators=(",", ":"))
        self._etag = hashlib.sha256(self._document.encode()).hexdigest()[:20]

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/openapi.json", self.openapi)
        app.router.add_get("/docs", self.page)
        app.router.add_get("/docs/{file:docs\\.(?:js|css)}", self.page)

    async def openapi(self, request: web.Request) -> web.Response:
        headers = {"ETag": f'"{self._etag}"', "Cache-Control": "no-cache"}
        if any(tag.value in (self._etag, "*") for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(text=self._document, content_type="application/json", headers=headers)

    async def page(self, request: web.Request) -> web.Response:
        answer = await self._folder.answer(request, request.match_info.get("file", "index.html"))
        answer.headers["Content-Security-Policy"] = POLICY
        answer.headers["Cache-Control"] = "no-cache"
        return answer
