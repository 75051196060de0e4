"""/openapi.json and /asyncapi.json, and /docs: a page that shows the first and names the second."""

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


# rooms makes it from its frames (`make asyncapi`); services do not import each other, so this is the file.
FRAMES = Path(__file__).parents[1] / "docs" / "asyncapi.json"


class Docs:
    def __init__(self) -> None:
        self._folder = Folder(FOLDER)
        self._openapi = _Document(json.dumps(document(), ensure_ascii=False, separators=(",", ":")))
        self._asyncapi = _Document(FRAMES.read_text("utf-8"))

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/openapi.json", self._openapi.answer)
        app.router.add_get("/asyncapi.json", self._asyncapi.answer)
        app.router.add_get("/docs", self.page)
        app.router.add_get("/docs/{file:docs\\.(?:js|css)}", self.page)

    async def page(self, request: web.Request) -> web.Response:
        answer = await self._folder.answer(request, request.match_info.get("file", "index.html"))
        answer.headers["Content-Security-Policy"] = POLICY
        answer.headers["Cache-Control"] = "no-cache"
        return answer


class _Document:
    """A JSON text that stays the same while we run."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._etag = hashlib.sha256(text.encode()).hexdigest()[:20]

    async def answer(self, request: web.Request) -> web.Response:
        headers = {"ETag": f'"{self._etag}"', "Cache-Control": "no-cache"}
        if any(tag.value in (self._etag, "*") for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(text=self._text, content_type="application/json", headers=headers)
