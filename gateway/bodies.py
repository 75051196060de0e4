"""Reading requests: JSON bodies and query strings, with every wrong field named at once."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, NoReturn, TypeVar

from aiohttp import web

from common.errors import FieldError, InvalidFields, Malformed

T = TypeVar("T")

UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")

# What JSON numbers keep exactly (RFC 8259 section 6), and what fits a protobuf int64.
INTEGER_MAX = 2**53 - 1
# A page size beyond this is clamped by every service; here it only has to fit an int32.
LIMIT_MAX = 10_000

# A client that has said how much it will send, and then sends nothing, is not waited for.
BODY_SECONDS = 10.0


class Body:
    """The members of a JSON object. Reading one that is wrong notes it; `check` raises them together.

    Members nobody asks for are ignored; null is the same as absent.
    """

    def __init__(self, members: dict[str, Any]) -> None:
        self._members = members
        self._wrong: list[FieldError] = []

    def text(self, name: str) -> str:
        """A string that must be there."""
        if self._members.get(name) is None:
            return self._note(name, "is needed", "")
        return self.optional_text(name)

    def optional_text(self, name: str) -> str:
        """A string, empty when absent."""
        value = self._members.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            return self._note(name, "must be a string", "")
        return value if _is_unicode(value) else self._note(name, "must be valid Unicode", "")

    def given_text(self, name: str) -> str | None:
        """A string, None when absent: what is not given is left as it is."""
        return None if self._members.get(name) is None else self.optional_text(name)

    def given_user_id(self, name: str) -> str | None:
        """A user's id, as the number or the string that it is elsewhere; None when absent."""
        value = self._members.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.given_text(name)

    def optional_flag(self, name: str) -> bool | None:
        """True or false, None when absent."""
        value = self._members.get(name)
        if value is None or isinstance(value, bool):
            return value
        return self._note(name, "must be true or false", None)

    def optional_integer(self, name: str) -> int | None:
        """A whole number (10 and 10.0 are one, as in JSON Schema; true is none), None when absent."""
        value = self._members.get(name)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            return self._note(name, "must be a whole number", None)
        if abs(value) > INTEGER_MAX:
            return self._note(name, "is out of range", None)
        return value

    def check(self) -> None:
        """Raise InvalidFields if anything read so far was wrong."""
        if self._wrong:
            raise InvalidFields(*self._wrong)

    def _note(self, name: str, message: str, instead: T) -> T:
        self._wrong.append(FieldError(name, message))
        return instead


async def read(request: web.Request) -> Body:
    """The request's JSON object.

    Raises HTTPUnsupportedMediaType, HTTPRequestEntityTooLarge (64 KiB), HTTPRequestTimeout and Malformed.
    """
    if request.content_type != "application/json" or "Content-Type" not in request.headers:
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(BODY_SECONDS):
            raw = await request.read()
        members = json.loads(raw.decode("utf-8"), parse_constant=_not_json)
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    # A number of thousands of digits is a ValueError, thousands of brackets are a RecursionError.
    except (ValueError, RecursionError, web.RequestPayloadError):
        raise Malformed("The body is not JSON in UTF-8.", code="BROKEN_JSON") from None
    if not isinstance(members, dict):
        raise Malformed("The body must be a JSON object.", code="BROKEN_JSON")
    return Body(members)


async def read_optional(request: web.Request) -> Body:
    """The same for a route of which all is optional: no body at all is an empty object."""
    return await read(request) if request.body_exists else Body({})


def query_text(request: web.Request, name: str) -> str:
    """A parameter of the query string, empty when absent. Raises InvalidFields for bytes that are no text."""
    value = request.query.get(name, "")
    if not _is_unicode(value):
        raise InvalidFields(FieldError(name, "must be valid Unicode"))
    return value


def query_limit(request: web.Request) -> int:
    """`limit`: 0 when absent, which is the default. Raises InvalidFields when negative or not a number."""
    return min(query_number(request, "limit"), LIMIT_MAX)


def query_number(request: web.Request, name: str) -> int:
    """A whole number from 0, which it is when absent. Raises InvalidFields."""
    raw = request.query.get(name, "")
    if not raw:
        return 0
    if not (raw.isascii() and raw.isdigit()):
        raise InvalidFields(FieldError(name, "must be a whole number, 0 or more"))
    # Thousands of digits are more than int() reads, and all the same a large number.
    return INTEGER_MAX if len(raw) > 15 else int(raw)


def _is_unicode(text: str) -> bool:
    """JSON can name half of a surrogate pair (\\ud800), which is no character and no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
