"""Around every request: an id, one log line, errors as problems, and the headers all answers carry."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from common import log, problems, trace
from common.clients import ADDRESS, SECURE, Clients
from common.errors import CwrkError, Internal
from common.headers import SANE_ID, protect, request_id_of
from gateway import rates
from gateway.cors import Cors
from gateway.identity import USER_ID, Handler, is_behind_door
from gateway.metrics import Requests, where
from gateway.pages import Pages
from gateway.rates import Rates

ID = web.RequestKey("request_id", str)
TRACE = web.RequestKey("traceparent", str)
# What nginx logs for a client that did not wait; it is never sent.
CLIENT_GONE = 499
# Asked every second or so by whoever keeps us running.
PROBES = frozenset({"/healthz", "/readyz"})
# Of an invite the log says that it was shown, not which it was.
INVITE = re.compile(r"(/invites?/)[^/]+")
# The page, its files, and what says how we are cost nothing and are not counted.
COUNTED = ("/auth", "/rooms", "/invites")

# What for a browser asks (Fetch Metadata); older ones do not say.
DESTINATION = "Sec-Fetch-Dest"

# Who came over TLS comes again over TLS, for a year; it says nothing about other hosts.
ONE_YEAR = "max-age=31536000"

access = log.get("gateway.access")
logger = log.get("gateway")


def observed(clients: Clients, requests: Requests) -> Middleware:
    """Give each request its id and trace, for all that is done for it; log and count it when it is over."""

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        request_id = request[ID] = request_id_of(request)
        clients.note(request)
        # aiohttp handles each request in a context of its own.
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        status = 500
        route, method = where(request)
        with trace.hop(
            f"{method} {route}",
            request.headers.get(trace.HEADER, ""),
            recorded=request.path not in PROBES,
            http_route=route,
            http_request_method=method,
        ) as hop:
            request[TRACE] = hop.traceparent
            try:
                response = await handler(request)
                status = response.status
            except (asyncio.CancelledError, ConnectionError):
                status = CLIENT_GONE
                raise
            else:
                return response
            finally:
                seconds = time.perf_counter() - started
                hop.says(http_response_status__code=status, failed=str(status) if status >= 500 else "")
                requests.ended(route, method, status, seconds)
                _log(request, status, seconds)

    return observe


def answered(cors: Cors, rates: Rates, requests: Requests, pages: Pages) -> Middleware:
    """Whatever goes wrong is answered as a problem, and what we did not foresee is logged.

    But who goes with a browser to an address that nobody has is answered with the page.
    """

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        request_id = request[ID]
        try:
            if request.method == "OPTIONS" and (preflight := cors.preflight(request)):
                return preflight
            if request.path.startswith(COUNTED) and not is_behind_door(request.match_info.handler):
                await rates.address(request, request[ADDRESS])
            return await handler(request)
        except CwrkError as error:
            requests.failed(error.code)
            return problems.of_error(error, request_id)
        except web.HTTPException as refusal:
            if refusal.status < 400:
                raise
            requests.failed(problems.code_of(refusal))
            unknown = refusal.status == 404 and refusal is request.match_info.http_exception
            page = await pages.nothing(request) if unknown and navigates(request) else None
            return problems.of_refusal(refusal, request_id) if page is None else page
        except ConnectionError:
            raise
        except Exception:
            logger.exception("unexpected error")
            fault = Internal("Something went wrong on our side.")
            requests.failed(fault.code)
            return problems.of_error(fault, request_id)

    return answer


def navigates(request: web.Request) -> bool:
    """Whether somebody goes there with a browser, and no program or page asks."""
    headers = request.headers
    if request.method not in ("GET", "HEAD") or "text/html" not in headers.get("Accept", ""):
        return False
    return headers.get(DESTINATION, "document") == "document"


def _log(request: web.Request, status: int, seconds: float) -> None:
    path = _path(request)
    write = access.debug if path in PROBES else access.info
    who: dict[str, Any] = {"user_id": request[USER_ID]} if USER_ID in request else {}
    room_id = request.match_info.get("id", "") if path.startswith("/rooms/") else ""
    if SANE_ID.fullmatch(room_id):
        who["room_id"] = room_id
    write(
        "request",
        method=request.method,
        path=path,
        status=status,
        ms=round(seconds * 1000, 1),
        address=request[ADDRESS],
        **who,
    )


def _path(request: web.Request) -> str:
    """Without the query, without what opens a door, and with nothing a terminal would act on."""
    path = request.rel_url.raw_path.encode("ascii", "backslashreplace").decode()
    return INVITE.sub(r"\1{code}", path)


def headers_of(pages: Pages, cors: Cors) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A signal that adds the headers of every answer just before it is sent."""

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        if pages.is_page(request):
            # A file is kept, and asked about each time.
            response.headers.setdefault("Cache-Control", "no-cache")
            response.headers["Content-Security-Policy"] = pages.policy(request)
        else:
            cors.mark(request, response)
        rates.mark(request, response)
        if request.get(SECURE):
            response.headers["Strict-Transport-Security"] = ONE_YEAR
        if TRACE in request:
            response.headers[trace.HEADER] = request[TRACE]
        protect(response, request.get(ID) or uuid4().hex)

    return add
