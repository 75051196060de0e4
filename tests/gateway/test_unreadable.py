"""What is no HTTP: a problem for whoever sent it, one short line for us."""

import json
from http.client import HTTPMessage, HTTPResponse
from io import BytesIO
from typing import cast

import pytest

from common import unreadable
from tests.gateway.running import Api

SECRET = b"eyJhbGciOiJSUzI1NiJ9"
HEAD = b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"


class Wire:
    """Bytes as http.client reads them."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, _mode: str) -> BytesIO:
        return BytesIO(self._raw)


def parsed(raw: bytes) -> tuple[int, HTTPMessage, bytes]:
    response = HTTPResponse(cast("object", Wire(raw)))  # type: ignore[arg-type]
    response.begin()
    return response.status, response.msg, response.read()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01" + SECRET + b"\r\n\r\n",
        b"GET /rooms?access_token=" + SECRET + b"\xff" + HEAD + b"\r\n",
        b"GET /" + SECRET * 1000 + HEAD + b"\r\n",
        b"GET /rooms" + HEAD + b"Authorization: Bearer " + SECRET * 1000 + b"\r\n\r\n",
        b"GET /rooms" + HEAD + b"Host: other\r\nAuthorization: Bearer " + SECRET + b"\r\n\r\n",
        b"POST /auth/login"
        + HEAD
        + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        + SECRET,
    ],
    ids=["TLS", "broken query", "long URL", "long header", "two hosts", "broken chunk"],
)
async def test_what_is_no_http_is_a_problem(
    api: Api, request_bytes: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lines: list[dict[str, object]] = []
    monkeypatch.setattr(unreadable.logger, "info", lambda event, **fields: lines.append(fields))
    status, headers, body = parsed(await api.send_raw(request_bytes))
    assert status == 400
    assert headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    problem = json.loads(body)
    assert problem["code"] in ("BAD_REQUEST", "BROKEN_JSON")
    assert problem["request_id"] == headers["X-Request-ID"]
    assert SECRET not in body
    assert SECRET.decode() not in repr(lines) + caplog.text
    assert caplog.text == ""
