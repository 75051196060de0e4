"""The headers that every HTTP answer of ours carries."""

from __future__ import annotations

import re
from uuid import uuid4

from aiohttp import web

REQUEST_ID = "X-Request-ID"
# One that a client made up is taken over only if a log can hold it as it is.
SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
}
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


def request_id_of(request: web.Request) -> str:
    """The one that was sent with it, or a new one."""
    sent = request.headers.get(REQUEST_ID, "")
    return sent if SANE_ID.fullmatch(sent) else uuid4().hex


def protect(response: web.StreamResponse, request_id: str) -> None:
    """The headers of every answer, as the API's where nothing else was said."""
    headers = response.headers
    headers["Server"] = "cwrkPlanet"  # aiohttp would tell its version, and Python's
    headers[REQUEST_ID] = request_id
    headers.update(ALWAYS)
    headers.setdefault("Content-Security-Policy", API_POLICY)
    headers.setdefault("Cache-Control", "no-store")  # what the API answers is somebody's own
