"""Errors: every one is problem+json, whoever found it."""

import gzip
import json

import pytest

from common import problems
from common.errors import HTTP_STATUS, CwrkError, FieldError, InvalidFields, TooMany, Unavailable
from gateway import bodies
from tests.gateway.running import Answer, Api, RecordedRooms

ID = "0190c0de-0000-7000-8000-000000000001"


def assert_problem(answer: Answer, status: int, code: str) -> None:
    """RFC 9457's members, and ours."""
    assert (answer.status, answer.json.get("code")) == (status, code), answer.text
    assert answer.headers["Content-Type"].partition(";")[0] == "application/problem+json"
    problem = answer.json
    assert problem.keys() == {
        "type",
        "title",
        "status",
        "detail",
        "code",
        "request_id",
        "errors",
        "error",
    }
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert problem["error"] == {"message": problem["detail"]}


async def test_a_problem_in_full(api: Api) -> None:
    answer = await api.call(
        "POST",
        "/auth/login",
        {"email": "ann@example.org", "password": "wrong"},
        headers={"X-Request-ID": "r-1"},
    )
    assert answer.json == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "The e-mail or the password is wrong.",
        "code": "INVALID_CREDENTIALS",
        "request_id": "r-1",
        "errors": [],
        "error": {"message": "The e-mail or the password is wrong."},
    }


async def test_nothing_there(api: Api) -> None:
    for path in (
        "/nothing",
        "/rooms/",
        "/static/../../etc/passwd",
        "/static/%2e%2e/x",
        "/%00",
        "/static/none.js",
    ):
        assert_problem(await api.call("GET", path), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/rooms", {"GET", "HEAD", "POST"}),
        ("GET", "/auth/login", {"POST"}),
        ("POST", "/auth/me", {"DELETE", "GET", "HEAD", "PATCH"}),
        ("OPTIONS", f"/rooms/{ID}", {"DELETE", "GET", "HEAD", "PATCH"}),
        ("POST", "/", {"GET", "HEAD"}),
    ],
)
async def test_a_method_that_is_not_taken(api: Api, method: str, path: str, allow: set[str]) -> None:
    answer = await api.call(method, path)
    assert_problem(answer, 405, "METHOD_NOT_ALLOWED")
    assert set(answer.headers["Allow"].split(",")) == allow


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"]
)
async def test_a_body_that_does_not_say_it_is_json(api: Api, content_type: str) -> None:
    answer = await api.call("POST", "/auth/login", data=b"{}", headers={"Content-Type": content_type})
    assert_problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b'{"email": NaN}',
        b'{"email": "\xff"}',
        b"[" * 60_000,
        b'{"email": ' + b"9" * 10_000 + b"}",
        b'{"email": "two\nlines"}',
    ],
    ids=lambda body: repr(body[:12]),
)
async def test_a_body_that_is_no_json_object(api: Api, body: bytes) -> None:
    answer = await api.call("POST", "/auth/login", data=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 400, "BROKEN_JSON")


async def test_json_may_name_its_charset(api: Api) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = await api.call("POST", "/auth/login", data=b'{"email":"a","password":"b"}', headers=headers)
    assert_problem(answer, 401, "INVALID_CREDENTIALS")


async def test_a_body_of_more_than_64_kib(api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    fits = json.dumps({"email": "x" * 65_000}).encode().ljust(64 * 1024)
    assert_problem(await api.call("POST", "/auth/login", data=fits, headers=headers), 422, "INVALID_FIELDS")
    assert_problem(
        await api.call("POST", "/auth/login", data=fits + b" ", headers=headers), 413, "BODY_TOO_LARGE"
    )


async def test_a_body_that_never_comes(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    answer = await api.send_raw(
        b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{"
    )
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code": "BODY_TOO_SLOW"' in answer


async def test_a_body_that_grows_when_unpacked(api: Api) -> None:
    """A megabyte of blanks is a kilobyte of gzip."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await api.call("POST", "/auth/login", data=gzip.compress(b" " * 1_000_000), headers=headers)
    assert_problem(answer, 413, "BODY_TOO_LARGE")
    answer = await api.call("POST", "/auth/login", data=b"not gzip", headers=headers)
    assert_problem(answer, 400, "BROKEN_JSON")


async def test_a_limit_says_when_to_come_back(api: Api, rooms: RecordedRooms) -> None:
    await api.register()
    rooms.answer = TooMany("Slow down.", retry_after=2.2)
    answer = await api.call("GET", "/rooms")
    assert_problem(answer, 429, "RATE_LIMITED")
    assert answer.headers["Retry-After"] == "3"


async def test_our_own_fault_says_nothing_about_it(api: Api, rooms: RecordedRooms) -> None:
    await api.register()
    rooms.answer = rooms  # type: ignore[assignment]  # what no service can send
    answer = await api.call("GET", "/rooms")
    assert_problem(answer, 500, "INTERNAL")
    assert answer.json["detail"] == "Something went wrong on our side."


@pytest.mark.parametrize("kind", HTTP_STATUS)
def test_every_error_of_the_domain_has_an_answer(kind: type[CwrkError]) -> None:
    error = InvalidFields(FieldError("name", "is needed")) if kind is InvalidFields else kind("Why.")
    answer = problems.of_error(error, "r-1")
    assert answer.status == HTTP_STATUS[kind]
    assert ("Retry-After" in answer.headers) == (kind in (TooMany, Unavailable))
    assert ("WWW-Authenticate" in answer.headers) == (answer.status == 401)
