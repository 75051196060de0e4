"""Errors as `application/problem+json` (RFC 9457), and the headers that go with their status.

    {"type": "about:blank", "title": "Conflict", "status": 409,
     "detail": "There is an account with this e-mail already.", "code": "EMAIL_TAKEN",
     "request_id": "…", "errors": [{"field": "email", "message": "…"}],
     "error": {"message": "There is an account with this e-mail already."}}

`type` is about:blank, so `title` is the status's own phrase; `code` is what a
program branches on. `error` is for clients older than RFC 9457.
"""

from __future__ import annotations

import json
import math
from http import HTTPStatus

from aiohttp import web
from multidict import CIMultiDict

from common.errors import HTTP_STATUS, CwrkError, FieldError, Unauthenticated

# What aiohttp itself refuses, in our words.
REFUSED = {
    404: ("NOT_FOUND", "There is nothing at this address."),
    405: ("METHOD_NOT_ALLOWED", "This address does not take that method."),
    408: ("BODY_TOO_SLOW", "The body did not arrive in time."),
    413: ("BODY_TOO_LARGE", "The body is larger than 64 KiB."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "The body must be JSON, with Content-Type: application/json."),
}
RETRY_SECONDS = 1.0


def of_error(error: CwrkError, request_id: str) -> web.Response:
    """The answer for an error of the domain."""
    status = HTTP_STATUS[type(error)]
    headers: CIMultiDict[str] = CIMultiDict()
    if status in (429, 503):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after or RETRY_SECONDS)))
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = _challenge(error)
    return _problem(status, error.code, error.message, request_id, error.errors, headers)


def of_refusal(refusal: web.HTTPException, request_id: str) -> web.Response:
    """The answer where aiohttp or a handler raised a bare status: no such route, too large, not JSON."""
    detail = REFUSED.get(refusal.status, ("", HTTPStatus(refusal.status).phrase + "."))[1]
    code = code_of(refusal)
    headers = CIMultiDict({"Allow": refusal.headers["Allow"]} if "Allow" in refusal.headers else {})
    return _problem(refusal.status, code, detail, request_id, (), headers)


def code_of(refusal: web.HTTPException) -> str:
    return REFUSED.get(refusal.status, (f"HTTP_{refusal.status}", ""))[0]


def _challenge(error: Unauthenticated) -> str:
    """RFC 6750 section 3: a request without a token is told the scheme only."""
    if error.code in ("TOKEN_INVALID", "TOKEN_EXPIRED", "SESSION_ENDED"):
        return f'Bearer error="invalid_token", error_description="{error.code}"'
    return "Bearer"


def _problem(
    status: int,
    code: str,
    detail: str,
    request_id: str,
    errors: tuple[FieldError, ...],
    headers: CIMultiDict[str],
) -> web.Response:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        "errors": [{"field": error.field, "message": error.message} for error in errors],
        "error": {"message": detail},
    }
    return web.Response(
        status=status,
        text=json.dumps(body, ensure_ascii=False),
        content_type="application/problem+json",
        headers=headers,
    )
