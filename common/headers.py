"""The headers that every HTTP answer of ours carries."""

from __future__ import annotations

from aiohttp import web

REQUEST_ID = "X-Request-ID"

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
}
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


def protect(response: web.StreamResponse, request_id: str) -> None:
    """The headers of every answer, as the API's where nothing else was said."""
    headers = response.headers
    headers["Server"] = "cwrkPlanet"  # aiohttp would tell its version, and Python's
    headers[REQUEST_ID] = request_id
    headers.update(ALWAYS)
    headers.setdefault("Content-Security-Policy", API_POLICY)
    headers.setdefault("Cache-Control", "no-store")  # what the API answers is somebody's own
