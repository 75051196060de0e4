"""Where a request comes from: what is forged changes nothing, what a trusted proxy says is believed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import structlog

from common.config import ConfigError, load
from gateway.config import Config
from tests.auth.running import Caller
from tests.gateway.running import Api, RecordedRooms, running_gateway

FORGED = {
    "X-Forwarded-For": "203.0.113.9",
    "Forwarded": "for=203.0.113.9;proto=https",
    "X-Forwarded-Proto": "https",
    "X-Real-IP": "203.0.113.9",
    "X-Forwarded-Host": "evil.example",
}


@asynccontextmanager
async def gateway(auth: Caller, rooms: RecordedRooms, web_dir: object, **settings: str) -> AsyncIterator[Api]:
    config = load(Config, settings)
    chosen: dict[str, Any] = {
        "trusted_proxies": config.trusted_proxies,
        "forwarded_header": config.forwarded_header,
    }
    async with (
        running_gateway(auth=auth.address, rooms=rooms.address, web_dir=str(web_dir), **chosen) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield Api(session, port)


async def seen(api: Api, headers: dict[str, str]) -> tuple[str, str]:
    """The address in the log, and the websocket's scheme that the page is told."""
    with structlog.testing.capture_logs() as lines:
        answer = await api.call("GET", "/config.json", headers=headers)
        await asyncio.sleep(0)
    address = next(line["address"] for line in lines if line["event"] == "request")
    return address, answer.json["ws_url"].partition(":")[0]


async def test_a_forged_header_changes_nothing(auth: Caller, rooms: RecordedRooms, web_dir: object) -> None:
    async with gateway(auth, rooms, web_dir) as api:
        assert await seen(api, FORGED) == ("127.0.0.1", "ws")
    # Nor where others are trusted than the one who asks.
    async with gateway(auth, rooms, web_dir, TRUSTED_PROXIES="10.0.0.0/8,192.0.2.1") as api:
        assert await seen(api, FORGED) == ("127.0.0.1", "ws")


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        # The right end is what our own proxy saw; what stands left of it the client wrote itself.
        ("1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, nonsense", "127.0.0.1"),
        ("unknown", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("10.1.2.3", "10.1.2.3"),
        (", ".join(["1.1.1.1"] + ["10.0.0.1"] * 40), "10.0.0.1"),
    ],
)
async def test_a_trusted_proxy_names_the_client(
    auth: Caller, rooms: RecordedRooms, web_dir: object, sent: str, address: str
) -> None:
    async with gateway(auth, rooms, web_dir, TRUSTED_PROXIES="127.0.0.1,10.0.0.0/8") as api:
        headers = {"X-Forwarded-For": sent, "X-Forwarded-Proto": "https", "Forwarded": "for=198.51.100.1"}
        assert await seen(api, headers) == (address, "wss")


async def test_the_other_header_is_not_read(auth: Caller, rooms: RecordedRooms, web_dir: object) -> None:
    settings = {"TRUSTED_PROXIES": "127.0.0.1", "TRUSTED_PROXY_HEADER": "forwarded"}
    async with gateway(auth, rooms, web_dir, **settings) as api:
        headers = {"X-Forwarded-For": "1.1.1.1", "X-Forwarded-Proto": "http"}
        headers["Forwarded"] = 'for=1.2.3.4, For="[2001:db8::1]:4711";proto=https;by=10.0.0.1'
        assert await seen(api, headers) == ("2001:db8::1", "wss")


async def test_who_came_over_tls_is_told_to_come_again_over_tls(
    auth: Caller, rooms: RecordedRooms, web_dir: object
) -> None:
    async with gateway(auth, rooms, web_dir, TRUSTED_PROXIES="127.0.0.1") as api:
        for scheme, told in (("https", "max-age=31536000"), ("http", None)):
            answer = await api.call("GET", "/", headers={"X-Forwarded-Proto": scheme})
            assert answer.headers.get("Strict-Transport-Security") == told


async def test_over_tls_the_websocket_is_at_the_pages_own_address(
    auth: Caller, rooms: RecordedRooms, web_dir: object
) -> None:
    async with gateway(auth, rooms, web_dir, TRUSTED_PROXIES="127.0.0.1") as api:
        for host in ("study.example.org", "192.0.2.7:8443", "[2001:db8::1]:8443"):
            headers = {"Host": host, "X-Forwarded-Proto": "https"}
            assert (await api.call("GET", "/config.json", headers=headers)).json == {
                "ws_url": f"wss://{host}"
            }


@pytest.mark.parametrize("wrong", ["everybody", "10.0.0.1/8", "300.0.0.1"])
def test_a_proxy_that_is_none(wrong: str) -> None:
    with pytest.raises(ConfigError, match="TRUSTED_PROXIES must be addresses or networks"):
        load(Config, {"TRUSTED_PROXIES": wrong})
