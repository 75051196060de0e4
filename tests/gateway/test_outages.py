"""A service that is down, slow or gone, and a client that goes away."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from common import rpc
from common.config import ConfigError
from dev.ports import free_port, is_free
from gateway.config import Config
from gateway.serve import serve
from tests.auth.running import Caller, running_auth
from tests.gateway.running import Api, RecordedRooms, running_gateway, running_rooms
from tests.gateway.test_problems import assert_problem

ROOM = "/rooms/0190c0de-0000-7000-8000-000000000001"


async def test_a_service_that_is_down_is_told_at_once(auth: Caller, web_dir: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    async with (
        running_gateway(auth=auth.address, rooms=nowhere, web_dir=str(web_dir)) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        api = Api(session, port)
        await api.register()
        answer = await api.call("GET", "/rooms")
        assert_problem(answer, 503, "ROOMS_UNAVAILABLE")  # after the deadline it would be another code
        assert answer.headers["Retry-After"] == "1"
        # What does not need it works on.
        assert (await api.call("GET", "/auth/me")).status == 200


async def test_without_auth_nobody_is_refused_for_good(rooms: RecordedRooms, web_dir: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    async with (
        running_gateway(auth=nowhere, rooms=rooms.address, web_dir=str(web_dir)) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        api = Api(session, port)
        answer = await api.call("POST", "/auth/login", {"email": "a", "password": "b"})
        assert_problem(answer, 503, "AUTH_UNAVAILABLE")
        # A token that cannot be verified now may be good: not 401, which would sign its owner out.
        token = "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IngifQ.e30.e30"
        answer = await api.call("GET", "/rooms", headers={"Authorization": f"Bearer {token}"})
        assert_problem(answer, 503, "AUTH_UNAVAILABLE")
        assert (await api.call("GET", "/")).status == 200


async def test_a_token_is_verified_without_asking_anybody(
    auth_database: str, keys_dir: Path, rooms: RecordedRooms, web_dir: Path
) -> None:
    async with AsyncExitStack() as stack:
        auth = await stack.enter_async_context(running_auth(auth_database, keys_dir))
        async with (
            running_gateway(auth=auth.address, rooms=rooms.address, web_dir=str(web_dir)) as port,
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        ):
            api = Api(session, port)
            await api.register()
            assert (await api.call("GET", ROOM)).status == 200
            await stack.aclose()
            assert (await api.call("GET", "/auth/me")).status == 503
            assert (await api.call("GET", ROOM)).status == 200


async def test_a_service_that_comes_back_is_found(auth: Caller, web_dir: Path) -> None:
    listen = f"127.0.0.1:{free_port()}"
    async with (
        running_gateway(auth=auth.address, rooms=listen, web_dir=str(web_dir)) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        api = Api(session, port)
        await api.register()
        assert (await api.call("GET", ROOM)).status == 503
        async with running_rooms(listen), asyncio.timeout(5):
            # Only the gateway's own channel knows when it is there again; it backs off for a second at most.
            while (await api.call("GET", ROOM)).status != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert (await api.call("GET", ROOM)).status == 503


async def test_a_service_that_is_busy_for_a_moment_is_not_down(
    auth: Caller, rooms: RecordedRooms, web_dir: Path
) -> None:
    """Its machine takes the connection at once, and the service gets to it a while later."""
    host, _, port = auth.address.partition(":")

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.4)
        onward_reader, onward_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(carry(reader, onward_writer), carry(onward_reader, writer))

    proxy = await asyncio.start_server(late, "127.0.0.1", 0)
    slow = f"127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    async with (
        proxy,
        running_gateway(auth=slow, rooms=rooms.address, web_dir=str(web_dir)) as gateway,
        aiohttp.ClientSession(f"http://127.0.0.1:{gateway}") as session,
    ):
        assert (await Api(session, gateway).register())["user"]["email"] == "ann@example.org"


async def test_a_service_that_does_not_answer_is_given_up(
    api: Api, rooms: RecordedRooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.register()
    rooms.stall = True
    # The deadline is a default argument; shortened here, so that the test does not last it out.
    monkeypatch.setattr(rpc.Client.call, "__kwdefaults__", {"user_token": "", "timeout": 0.2})
    answer = await api.call("GET", "/rooms")
    assert_problem(answer, 504, "TIMEOUT")
    await asyncio.wait_for(rooms.cancelled.wait(), 5)


async def test_a_client_that_goes_away_cancels_its_call(api: Api, rooms: RecordedRooms) -> None:
    await api.register()
    rooms.stall = True
    request = asyncio.ensure_future(api.call("GET", "/rooms"))
    await asyncio.wait_for(rooms.stalled.wait(), 5)
    assert not rooms.cancelled.is_set()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    # Long before the call's own deadline.
    await asyncio.wait_for(rooms.cancelled.wait(), 1)


async def test_what_was_begun_is_answered_before_stopping(
    auth: Caller, rooms: RecordedRooms, web_dir: Path
) -> None:
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(
            running_gateway(auth=auth.address, rooms=rooms.address, web_dir=str(web_dir))
        )
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            api = Api(session, port)
            await api.register()
            rooms.stall = True
            begun = asyncio.ensure_future(api.call("GET", ROOM))
            await asyncio.wait_for(rooms.stalled.wait(), 5)
            stopping = asyncio.ensure_future(stack.aclose())
            async with asyncio.timeout(5):
                while not is_free(port):  # noqa: ASYNC110  # a kernel has no event for it
                    await asyncio.sleep(0.01)
            # Closed to new ones, it still has time for this one.
            await asyncio.wait({stopping, begun}, timeout=0.2)
            assert not any(task.done() for task in (stopping, begun))
            rooms.release.set()
            assert (await begun).status == 200
            await stopping


async def test_a_gateway_that_stops_says_so_before_it_closes(
    auth: Caller, rooms: RecordedRooms, web_dir: Path
) -> None:
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(
            running_gateway(auth=auth.address, rooms=rooms.address, web_dir=str(web_dir), drain_ms=1000)
        )
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            api = Api(session, port)
            assert (await api.call("GET", "/readyz")).status == 200
            stopping = asyncio.ensure_future(stack.aclose())
            await asyncio.sleep(0)  # it has begun
            # On a connection of its own, as a balancer asks.
            answer = await api.call("GET", "/readyz", headers={"Connection": "close"})
            assert_problem(answer, 503, "STOPPING")
            assert answer.headers["Retry-After"] == "1"
            # Work that comes meanwhile is done.
            assert (await api.register())["user"]["id"]
            assert (await api.call("GET", "/healthz")).status == 200
            await stopping


async def test_readiness_names_what_is_missing(api: Api, auth: Caller, web_dir: Path) -> None:
    assert (await api.call("GET", "/healthz")).json == {"status": "alive"}
    assert (await api.call("GET", "/readyz")).json == {"status": "ready"}
    nowhere = f"127.0.0.1:{free_port()}"
    async with (
        running_gateway(auth=auth.address, rooms=nowhere, web_dir=str(web_dir)) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        lonely = Api(session, port)
        assert (await lonely.call("GET", "/healthz")).status == 200
        answer = await lonely.call("GET", "/readyz")
        assert_problem(answer, 503, "NOT_READY")
        assert [error["field"] for error in answer.json["errors"]] == ["rooms"]
        assert answer.headers["Retry-After"] == "1"


async def test_a_port_that_is_taken_is_a_sentence(api: Api, web_dir: Path) -> None:
    with pytest.raises(ConfigError, match=f"GATEWAY_PORT={api.port} cannot be listened on"):
        async with serve(Config(port=api.port, web_dir=str(web_dir))):
            pytest.fail("it started")
