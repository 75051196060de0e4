"""Cross-origin requests: nobody by default, else exactly who is on the list."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from common.config import ConfigError, load
from gateway.config import Config
from tests.auth.running import Caller
from tests.gateway.running import Api, RecordedRooms, running_gateway

FRIEND = "https://study.example.org"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture
async def listed(auth: Caller, rooms: RecordedRooms, web_dir: Path) -> AsyncIterator[Api]:
    origins = load(Config, {"CORS_ORIGINS": f"{FRIEND}, http://localhost:3000"}).cors_origins
    async with (
        running_gateway(
            auth=auth.address, rooms=rooms.address, web_dir=str(web_dir), cors_origins=origins
        ) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield Api(session, port)


def allows(headers: object) -> list[str]:
    return [name for name in headers if name.startswith("Access-Control")]  # type: ignore[attr-defined]


async def test_by_default_nobody_is_let_in(api: Api) -> None:
    answer = await api.call("GET", "/rooms", headers={"Origin": FRIEND})
    assert not allows(answer.headers)
    preflight = await api.call("OPTIONS", "/rooms", headers={"Origin": FRIEND, **PREFLIGHT})
    assert preflight.status == 405
    assert not allows(preflight.headers)


async def test_who_is_on_the_list_may_read_answers_and_errors(listed: Api) -> None:
    for path, status in (("/healthz", 200), ("/rooms", 401), ("/nothing", 404)):
        answer = await listed.call("GET", path, headers={"Origin": FRIEND})
        assert answer.status == status
        assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert answer.headers["Vary"] == "Origin"


async def test_a_preflight_is_answered(listed: Api) -> None:
    answer = await listed.call("OPTIONS", "/rooms", headers={"Origin": FRIEND, **PREFLIGHT})
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert answer.headers["Access-Control-Max-Age"] == "600"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://study.example.org",
        "https://study.example.org.evil.example",
        "https://study.example.org:8443",
        "https://STUDY.example.org",
    ],
)
async def test_nobody_else_is(listed: Api, origin: str) -> None:
    for method, headers in (("GET", {}), ("OPTIONS", PREFLIGHT)):
        answer = await listed.call(method, "/rooms", headers={"Origin": origin, **headers})
        assert not allows(answer.headers)
        assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("wrong", ["*", "study.example.org", "https://a.example/", "https://*.example.org"])
def test_a_list_is_of_origins(wrong: str) -> None:
    with pytest.raises(ConfigError, match="CORS_ORIGINS must be origins"):
        load(Config, {"CORS_ORIGINS": wrong})
