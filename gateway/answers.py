"""JSON as we answer it: UTF-8, as short as it gets."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web


def json_answer(body: dict[str, Any], *, status: int = 200) -> web.Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return web.Response(status=status, text=text, content_type="application/json")
