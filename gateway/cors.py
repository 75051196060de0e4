"""Cross-origin requests: off, or for an exact list of origins (CORS_ORIGINS).

Tokens travel in a header and nothing is a cookie, so no answer allows credentials.
A page that is not on the list gets the answer all the same; its browser keeps it
from reading it.
"""

from __future__ import annotations

import re

from aiohttp import web

ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?")
METHODS = "GET, POST, PUT, PATCH, DELETE"
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, X-Request-ID, X-User-ID, traceparent"
EXPOSED_HEADERS = "X-Request-ID, Retry-After, RateLimit, RateLimit-Policy, traceparent"
PREFLIGHT_SECONDS = "600"


def origins(raw: str) -> frozenset[str]:
    """Origins as browsers write them, comma-separated; the parser of CORS_ORIGINS."""
    found = frozenset(word.strip() for word in raw.split(",") if word.strip())
    if not all(ORIGIN.fullmatch(origin) for origin in found):
        raise ValueError("must be origins, as in https://study.example.org")
    return found


class Cors:
    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed

    def preflight(self, request: web.Request) -> web.Response | None:
        """The answer to a browser that asks beforehand, where it may; None for anything else."""
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        if request.headers.get("Origin") not in self._allowed:
            return None
        return web.Response(
            status=204,
            headers={
                "Access-Control-Allow-Methods": METHODS,
                "Access-Control-Allow-Headers": ALLOWED_HEADERS,
                "Access-Control-Max-Age": PREFLIGHT_SECONDS,
            },
        )

    def mark(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Say in the answer who may read it."""
        if not self._allowed:
            return
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("Origin", "")
        if origin in self._allowed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
