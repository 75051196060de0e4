"""What every answer carries, and what none does."""

import re

import pytest

from tests.gateway.running import Api

PATHS = ["/", "/static/app.js", "/config.json", "/healthz", "/rooms", "/nothing"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_has_a_request_id_and_the_headers_that_protect(api: Api, path: str) -> None:
    headers = (await api.call("GET", path)).headers
    assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-ID"])
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Server"] == "cwrkPlanet"


@pytest.mark.parametrize("path", PATHS)
async def test_a_sane_request_id_is_taken_over(api: Api, path: str) -> None:
    answer = await api.call("GET", path, headers={"X-Request-ID": "Abc_1.2-3"})
    assert answer.headers["X-Request-ID"] == "Abc_1.2-3"


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "é", '"', "a,b"])
async def test_a_request_id_no_log_should_hold_is_replaced(api: Api, sent: str) -> None:
    answer = await api.call("GET", "/healthz", headers={"X-Request-ID": sent})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])


async def test_answers_of_the_api_are_kept_by_nobody(api: Api) -> None:
    answer = await api.call("GET", "/rooms")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
