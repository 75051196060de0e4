"""How many requests are too many, for whom, and what an answer says about it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request

from common.clients import network_of
from common.errors import TooMany
from dev.ports import free_port
from gateway.rates import RATE, Rates
from tests import stack
from tests.auth.running import Caller
from tests.gateway.running import Api, RecordedRooms, running_gateway
from tests.gateway.test_problems import assert_problem

ROOM = "/rooms/0190c0de-0000-7000-8000-000000000001"


@asynccontextmanager
async def gateway(auth: Caller, rooms: RecordedRooms, web_dir: Path, **settings: Any) -> AsyncIterator[Api]:
    async with (
        running_gateway(auth=auth.address, rooms=rooms.address, web_dir=str(web_dir), **settings) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield Api(session, port)


async def test_an_answer_says_how_much_is_left(auth: Caller, rooms: RecordedRooms, web_dir: Path) -> None:
    async with gateway(auth, rooms, web_dir, rate_person=3) as api:
        await api.register()
        for left in (2, 1, 0):
            answer = await api.call("GET", ROOM)
            assert answer.status == 200
            assert answer.headers["RateLimit-Policy"] == '"person";q=3;w=60'
            assert re.fullmatch(rf'"person";r={left};t=(59|60)', answer.headers["RateLimit"])
        answer = await api.call("GET", ROOM)
        assert_problem(answer, 429, "RATE_LIMITED")
        assert 55 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.headers["RateLimit"].startswith('"person";r=0;')
        assert len(rooms.asked) == 3


async def test_a_class_behind_one_address_is_nobodys_crowd(
    auth: Caller, rooms: RecordedRooms, web_dir: Path
) -> None:
    async with gateway(auth, rooms, web_dir, rate_person=5, rate_address=8) as api:
        people = []
        for number in range(4):
            await api.register(f"student{number}@example.org")
            people.append(api.token)
        for token in people * 5:
            api.token = token
            assert (await api.call("GET", ROOM)).status == 200
        assert (await api.call("GET", ROOM)).status == 429
        # Without a token it is the address that counts: four have registered.
        api.token = ""
        statuses = [
            (await api.call("POST", "/auth/login", {"email": "a", "password": "b"})).status for _ in range(5)
        ]
        assert statuses == [401, 401, 401, 401, 429]
        # A bad token is nobody's.
        api.token = "nonsense"
        assert (await api.call("GET", ROOM)).status == 429
        # The page comes all the same, and so does whoever asks how we are.
        for path in ("/", "/static/app.js", "/healthz", "/openapi.json"):
            answer = await api.call("GET", path)
            assert answer.status == 200
            assert "RateLimit" not in answer.headers


async def test_it_can_be_turned_off(auth: Caller, rooms: RecordedRooms, web_dir: Path) -> None:
    async with gateway(auth, rooms, web_dir, rate_person=0, rate_address=0) as api:
        await api.register()
        assert "RateLimit" not in (await api.call("GET", ROOM)).headers


async def spend(rates: Rates, user_id: int, count: int) -> int:
    """How many of so many requests were let through."""
    through = 0
    for _ in range(count):
        try:
            await rates.person(make_mocked_request("GET", "/"), user_id)
            through += 1
        except TooMany:
            continue
    return through


async def test_gateways_count_together_in_redis(redis_url: str) -> None:
    first, second = (Rates(redis_url, person=100, address=100) for _ in range(2))
    async with AsyncExitStack() as closing:
        for each in (first, second):
            closing.push_async_callback(each.close)
        assert await spend(first, 1, 60) == 60
        assert await spend(second, 1, 60) == 40
        assert await spend(first, 1, 60) == 0
        assert await spend(second, 2, 60) == 60


async def test_at_once_is_no_way_around_it() -> None:
    rates = Rates("", person=100, address=100)
    through = await asyncio.gather(*(spend(rates, 1, 10) for _ in range(30)))
    assert sum(through) == 100


async def test_without_redis_nobody_is_refused_or_kept_waiting() -> None:
    rates = Rates(f"redis://127.0.0.1:{free_port()}", person=50, address=50)
    try:
        async with asyncio.timeout(20):
            assert await spend(rates, 1, 60) == 50
    finally:
        await rates.close()


async def test_redis_that_is_lost_meanwhile_refuses_nobody() -> None:
    with stack.valkey() as server:
        rates = Rates(server.url, person=40, address=40)
        try:
            assert await spend(rates, 1, 10) == 10
            server.kill()
            async with asyncio.timeout(20):
                assert await spend(rates, 1, 20) == 20
        finally:
            await rates.close()


async def test_a_window_that_has_ended_is_begun_anew() -> None:
    rates = Rates("", person=4, address=4)
    request = make_mocked_request("GET", "/")
    await rates.person(request, 1)
    request[RATE].ends = 0.0
    lease = request[RATE]
    await rates.person(request, 1)
    assert request[RATE] is not lease


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
    ],
)
def test_an_ipv6_network_is_one(address: str, network: str) -> None:
    assert network_of(address) == network
