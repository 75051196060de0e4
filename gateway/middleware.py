"""Around every request: an id, one log line, errors as problems, and the headers all answers carry."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import structlog
from aiohttp import web

from common import log, problems
from common.errors import CwrkError, Internal
from common.headers import REQUEST_ID, protect
from gateway.identity import USER_ID, Handler
from gateway.pages import Pages

ID = web.RequestKey("request_id", str)
# One that a client made up is taken over only if a log can hold it as it is.
SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# What nginx logs for a client that did not wait; it is never sent.
CLIENT_GONE = 499
# Asked every second or so by whoever keeps us running.
PROBES = frozenset({"/healthz", "/readyz"})


access = log.get("gateway.access")
logger = log.get("gateway")


@web.middleware
async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request its id, bound to every log line under it, and log it once when it is over."""
    sent = request.headers.get(REQUEST_ID, "")
    request_id = request[ID] = sent if SANE_ID.fullmatch(sent) else uuid4().hex
    started = time.perf_counter()
    status = 500
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        try:
            response = await handler(request)
            status = response.status
        except (asyncio.CancelledError, ConnectionError):
            status = CLIENT_GONE
            raise
        else:
            return response
        finally:
            _log(request, status, time.perf_counter() - started)


@web.middleware
async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong is answered as a problem, and what we did not foresee is logged."""
    request_id = request[ID]
    try:
        return await handler(request)
    except CwrkError as error:
        return problems.of_error(error, request_id)
    except web.HTTPException as refusal:
        if refusal.status < 400:
            raise
        return problems.of_refusal(refusal, request_id)
    except ConnectionError:
        raise
    except Exception:
        logger.exception("unexpected error")
        return problems.of_error(Internal("Something went wrong on our side."), request_id)


def _log(request: web.Request, status: int, seconds: float) -> None:
    # Without the query, and with nothing a terminal would act on.
    path = request.rel_url.raw_path.encode("ascii", "backslashreplace").decode()
    write = access.debug if path in PROBES else access.info
    who = {"user_id": request[USER_ID]} if USER_ID in request else {}
    write(
        "request",
        method=request.method,
        path=path,
        status=status,
        ms=round(seconds * 1000, 1),
        address=request.remote,
        **who,
    )


def headers_of(pages: Pages) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A signal that adds the headers of every answer just before it is sent."""

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        if pages.is_page(request):
            # A file is kept, and asked about each time.
            response.headers.setdefault("Cache-Control", "no-cache")
            response.headers["Content-Security-Policy"] = pages.policy(request)
        protect(response, request.get(ID) or uuid4().hex)

    return add
