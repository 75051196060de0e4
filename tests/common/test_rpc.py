"""Calls between services, over real sockets: errors arrive whole, deadlines hold, strangers are refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from common import errors, rpc
from common.config import ConfigError
from proto import auth_pb2, auth_pb2_grpc, media_pb2, media_pb2_grpc

NAME = "cwrk.auth.v1.Auth"
Method = Callable[[rpc.Context], Awaitable[auth_pb2.User]]


class Auth(auth_pb2_grpc.AuthServicer):
    """Auth with one method, the test's own."""

    def __init__(self, me: Method) -> None:
        self._me = me

    async def Me(self, _request: auth_pb2.MeRequest, context: rpc.Context) -> auth_pb2.User:  # noqa: N802
        return await self._me(context)


@asynccontextmanager
async def serving(me: Method, *, asked_with: str = "secret") -> AsyncIterator[tuple[rpc.Client, int]]:
    def register(server: grpc.aio.Server) -> None:
        auth_pb2_grpc.add_AuthServicer_to_server(Auth(me), server)  # type: ignore[abstract]  # one method is enough here

    async with (
        rpc.serve(
            "127.0.0.1:0", variable="AUTH_LISTEN", service_token="secret", names=[NAME], register=register
        ) as server,
        rpc.connect(f"127.0.0.1:{server.port}", "auth", asked_with) as client,
    ):
        yield client, server.port


async def ask(client: rpc.Client, *, user_token: str = "", timeout: float = 5.0) -> auth_pb2.User:
    stub = auth_pb2_grpc.AuthStub(client.channel)
    return await client.call(stub.Me, auth_pb2.MeRequest(), user_token=user_token, timeout=timeout)


def raising(error: Exception) -> Method:
    async def me(_context: rpc.Context) -> auth_pb2.User:
        raise error

    return me


@pytest.mark.parametrize(
    "error",
    [
        errors.Malformed("The cursor is not ours.", code="INVALID_CURSOR"),
        errors.InvalidFields(errors.FieldError("name", "is too long"), errors.FieldError("max", "is 0")),
        errors.Unauthenticated("No.", code="TOKEN_EXPIRED"),
        errors.Forbidden("No."),
        errors.NotFound("No such room."),
        errors.Conflict("The room is full.", code="ROOM_FULL"),
        errors.TooMany("Slower.", retry_after=1.5),
        errors.Unavailable("The database is away.", retry_after=2.0),
        errors.TooSlow("Too slow."),
        errors.Internal("Ours."),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_arrives_as_it_was_raised(error: errors.CwrkError) -> None:
    async with serving(raising(error)) as (client, _):
        with pytest.raises(type(error)) as caught:
            await ask(client)
    arrived = caught.value
    assert (arrived.message, arrived.code, arrived.retry_after, arrived.errors) == (
        error.message,
        error.code,
        error.retry_after,
        error.errors,
    )


async def test_an_unexpected_exception_tells_the_caller_nothing() -> None:
    async with serving(raising(RuntimeError("hunter2"))) as (client, _):
        with pytest.raises(errors.Internal) as caught:
            await ask(client)
    assert "hunter2" not in caught.value.message


async def test_a_caller_without_the_service_token_is_refused() -> None:
    async with serving(raising(AssertionError("reached")), asked_with="guess") as (client, _):
        with pytest.raises(errors.Internal) as caught:
            await ask(client)
    assert caught.value.code == "SERVICE_TOKEN_INVALID"


async def test_the_users_token_travels_with_the_call() -> None:
    async def me(context: rpc.Context) -> auth_pb2.User:
        return auth_pb2.User(display_name=rpc.user_token(context))

    async with serving(me) as (client, _):
        assert (await ask(client, user_token="abc")).display_name == "abc"
        with pytest.raises(errors.Unauthenticated):
            await ask(client)


async def test_a_silent_service_is_given_up_and_its_work_cancelled() -> None:
    cancelled = asyncio.Event()

    async def me(_context: rpc.Context) -> auth_pb2.User:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError("never")

    async with serving(me) as (client, _):
        with pytest.raises(errors.TooSlow):
            await ask(client, timeout=0.1)
        await asyncio.wait_for(cancelled.wait(), 5)


async def test_a_service_that_is_down_is_unavailable_at_once() -> None:
    async with serving(raising(errors.NotFound("")), asked_with="secret") as (_, port):
        pass
    async with rpc.connect(f"127.0.0.1:{port}", "auth", "") as client:
        with pytest.raises(errors.Unavailable) as caught:
            await ask(client)
    assert caught.value.code == "AUTH_UNAVAILABLE"
    assert caught.value.retry_after


async def test_a_stream_ends_with_the_error_that_ended_it() -> None:
    class Media(media_pb2_grpc.MediaServicer):
        async def Events(  # noqa: N802
            self, _request: media_pb2.EventsRequest, _context: rpc.Context
        ) -> AsyncIterator[media_pb2.Event]:
            yield media_pb2.Event(hello=media_pb2.WorkerHello(worker_id="w"))
            raise errors.Unavailable("Draining.", code="DRAINING")

    def register(server: grpc.aio.Server) -> None:
        media_pb2_grpc.add_MediaServicer_to_server(Media(), server)  # type: ignore[abstract]  # one method is enough here

    async with (
        rpc.serve(
            "127.0.0.1:0", variable="MEDIA_LISTEN", service_token="", names=[], register=register
        ) as server,
        rpc.connect(f"127.0.0.1:{server.port}", "media", "") as client,
    ):
        stub = media_pb2_grpc.MediaStub(client.channel)
        events = client.stream(stub.Events, media_pb2.EventsRequest())
        assert (await anext(events)).hello.worker_id == "w"
        with pytest.raises(errors.Unavailable) as caught:
            await anext(events)
    assert caught.value.code == "DRAINING"


async def test_a_stream_on_which_nothing_happens_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the options as they are, only that gRPC pings as often as it can: once a second."""

    def quick(options: list[tuple[str, int]]) -> list[tuple[str, int]]:
        return [
            (name, value // 100 if name in ("grpc.keepalive_time_ms", rpc.LEAST_PING_INTERVAL) else value)
            for name, value in options
        ]

    monkeypatch.setattr(rpc, "CHANNEL_OPTIONS", quick(rpc.CHANNEL_OPTIONS))
    monkeypatch.setattr(rpc, "SERVER_OPTIONS", quick(rpc.SERVER_OPTIONS))

    class Media(media_pb2_grpc.MediaServicer):
        async def Events(  # noqa: N802
            self, _request: media_pb2.EventsRequest, _context: rpc.Context
        ) -> AsyncIterator[media_pb2.Event]:
            yield media_pb2.Event()
            await asyncio.sleep(4)  # pings that a server takes for an attack would have ended it by now
            yield media_pb2.Event()

    def register(server: grpc.aio.Server) -> None:
        media_pb2_grpc.add_MediaServicer_to_server(Media(), server)  # type: ignore[abstract]

    async with (
        rpc.serve(
            "127.0.0.1:0", variable="MEDIA_LISTEN", service_token="", names=[NAME], register=register
        ) as server,
        rpc.connect(f"127.0.0.1:{server.port}", "media", "") as client,
    ):
        stub = media_pb2_grpc.MediaStub(client.channel)
        events = [event async for event in client.stream(stub.Events, media_pb2.EventsRequest())]
        assert len(events) == 2


async def test_health_is_served_to_anybody() -> None:
    async with (
        serving(raising(errors.NotFound(""))) as (_, port),
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        answer = await health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(service=NAME), timeout=5
        )
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_taken_port_and_a_wide_one_without_a_secret_are_sentences() -> None:
    async with serving(raising(errors.NotFound(""))) as (_, port):
        with pytest.raises(ConfigError, match=r"^ROOMS_LISTEN=127\.0\.0\.1:\d+ is taken"):
            async with rpc.serve(
                f"127.0.0.1:{port}",
                variable="ROOMS_LISTEN",
                service_token="",
                names=[],
                register=lambda _: None,
            ):
                pass
    with pytest.raises(ConfigError, match=r"^ROOMS_LISTEN=0\.0\.0\.0:0 listens beyond .* set SERVICE_TOKEN"):
        async with rpc.serve(
            "0.0.0.0:0", variable="ROOMS_LISTEN", service_token="", names=[], register=lambda _: None
        ):
            pass
