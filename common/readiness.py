"""Whether a service can do its work, part by part: `/readyz`, and gRPC's health.

A part that is *needed* (the tables) makes the service not ready while it fails. Without the others (Redis'
pub/sub) all goes on, only slower or for fewer: they are told as they are, and the service stays ready, since
who takes it out of turn for that would have nobody left.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from aiohttp import web

from common.errors import CwrkError

CHECK_SECONDS = 0.5


@dataclass(frozen=True)
class Part:
    """`check` gives a sentence about what is wrong, or None; or raises a CwrkError, whose sentence it is."""

    name: str
    check: Callable[[], Awaitable[str | None]]
    needed: bool = False


async def wrong(part: Part) -> str | None:
    """What is wrong with it now. One that does not answer in CHECK_SECONDS is wrong."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await part.check()
    except CwrkError as error:
        return error.message
    except TimeoutError:
        return "It does not answer."


async def examined(parts: Iterable[Part]) -> tuple[bool, dict[str, str]]:
    """Whether all that is needed is there; and of each part "ok", or what is wrong."""
    asked = list(parts)
    found = await asyncio.gather(*map(wrong, asked))
    ready = not any(part.needed and problem is not None for part, problem in zip(asked, found, strict=True))
    return ready, {part.name: problem or "ok" for part, problem in zip(asked, found, strict=True)}


def page(parts: Iterable[Part]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler of `/readyz`: 200 where the service is ready, else 503; and every part.

    {"status": "ready" | "degraded" | "not_ready", "parts": {"database": "ok", "pubsub": "…"}}
    """
    asked = list(parts)

    async def ready(_request: web.Request) -> web.Response:
        fine, found = await examined(asked)
        whole = all(state == "ok" for state in found.values())
        status = "not_ready" if not fine else "ready" if whole else "degraded"
        body = json.dumps({"status": status, "parts": found}, ensure_ascii=False)
        return web.Response(
            text=body,
            status=200 if fine else 503,
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    return ready
