"""gRPC as the services speak it to each other: servers, calls, errors, health.

Every call has a deadline and carries the service token; a call on behalf of a
user carries that user's access token as well. Domain errors cross the wire as
they are: status by the table in `common.errors`, the rest in a trailing
`cwrk-error-bin` (proto/error.proto).
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import grpc
import structlog
from google.protobuf.message import DecodeError, Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from common import errors, log, trace
from common.config import ConfigError
from common.headers import SANE_ID
from common.metrics import Calls, Page
from common.readiness import Part, wrong
from proto import error_pb2

Req = TypeVar("Req", bound=Message)
Res = TypeVar("Res", bound=Message)
Context = grpc.aio.ServicerContext[Any, Any]
Counted = Callable[[], AbstractContextManager[None]]

ERROR_KEY = "cwrk-error-bin"
SERVICE_KEY = "cwrk-service"
USER_KEY = "authorization"
REQUEST_ID_KEY = "x-request-id"

DEADLINE_SECONDS = 3.0
MAX_MESSAGE_BYTES = 1 << 20

# A server takes pings that come more often than this for an attack, and hangs up on the third.
LEAST_PING_INTERVAL = "grpc.http2.min_ping_interval_without_data_ms"

# A service that comes back should be found within a second or two, not after gRPC's two minutes.
CHANNEL_OPTIONS = [
    ("grpc.initial_reconnect_backoff_ms", 100),
    # Against its name this is how long one attempt may take. A service that is busy for a moment is not down;
    # one that refuses is tried again after the backoff all the same.
    ("grpc.min_reconnect_backoff_ms", 2000),
    ("grpc.max_reconnect_backoff_ms", 250),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    (
        "grpc.http2.max_pings_without_data",
        0,
    ),  # no limit: on a quiet stream nothing else tells of a dead server
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
]
SERVER_OPTIONS = [
    ("grpc.so_reuseport", 0),  # a port that is taken is an error, not a coin toss
    (LEAST_PING_INTERVAL, 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
]

logger = log.get("rpc")


# --- calling ---------------------------------------------------------------------------------------------


class Client:
    """A channel to one service, named for the errors a person sees when it is down."""

    def __init__(self, channel: grpc.aio.Channel, name: str, service_token: str) -> None:
        self.channel = channel
        self._name = name
        self._service_token = service_token

    async def call(
        self,
        method: Callable[..., Awaitable[Res]],
        request: Message,
        *,
        user_token: str = "",
        timeout: float = DEADLINE_SECONDS,
    ) -> Res:
        """One unary call. Raises what the service raised, Unavailable or TooSlow."""
        with trace.span(f"to {self._name}", "client", rpc_system__name="grpc", server_name=self._name):
            try:
                return await method(request, timeout=timeout, metadata=self._metadata(user_token))
            except grpc.aio.AioRpcError as error:
                raise self._domain_error(error) from None

    async def stream(
        self, method: Callable[..., AsyncIterable[Res]], request: Message
    ) -> AsyncGenerator[Res, None]:
        """A server's stream until it ends; no deadline, since keepalive notices a dead server."""
        try:
            async for message in method(request, metadata=self._metadata("")):
                yield message
        except grpc.aio.AioRpcError as error:
            raise self._domain_error(error) from None

    def _metadata(self, user_token: str) -> list[tuple[str, str]]:
        metadata = []
        if self._service_token:
            metadata.append((SERVICE_KEY, self._service_token))
        if user_token:
            metadata.append((USER_KEY, f"Bearer {user_token}"))
        if request_id := structlog.contextvars.get_contextvars().get("request_id"):
            metadata.append((REQUEST_ID_KEY, request_id))
        if parent := trace.current.get():
            metadata.append((trace.HEADER, parent))
        return metadata

    def _domain_error(self, error: grpc.aio.AioRpcError) -> errors.CwrkError:
        for key, value in error.trailing_metadata() or ():
            if key == ERROR_KEY and (carried := _decode(error.code(), value)):
                return carried
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            return errors.Unavailable(
                f"The {self._name} service is down just now. Try again in a moment.",
                code=f"{self._name.upper()}_UNAVAILABLE",
                retry_after=1.0,
            )
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            return errors.TooSlow(f"The {self._name} service did not answer in time. Try again.")
        logger.error("call failed", to=self._name, status=error.code().name, details=error.details())
        return errors.Internal("Something went wrong on our side.")


@asynccontextmanager
async def connect(address: str, name: str, service_token: str) -> AsyncIterator[Client]:
    """A client of the service `name` at `address`. It connects by itself, again and again."""
    async with grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
        yield Client(channel, name, service_token)


# --- serving ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A running server; `port` is the real one where 0 was asked for."""

    port: int


@asynccontextmanager
async def serve(
    listen: str,
    *,
    variable: str,
    service_token: str,
    names: Sequence[str],
    register: Callable[[grpc.aio.Server], None],
    parts: Sequence[Part] = (),
    grace: float = 3.0,
    page: Page | None = None,
) -> AsyncIterator[Server]:
    """Serve on `listen` (the setting `variable`), with health for `names` (full service names).

    Its calls are counted on `page`.

    Health is NOT_SERVING while a part that is needed is wrong; asked by its name, each part tells of itself.
    Leaving says NOT_SERVING, lets running calls end for `grace` seconds, and closes.
    Raises ConfigError when the port is taken, or when it would listen beyond
    loopback without a service token.
    """
    if not service_token and not _is_loopback(listen):
        raise ConfigError(
            f"{variable}={listen} listens beyond this machine: set SERVICE_TOKEN, or use 127.0.0.1."
        )
    calls = Calls()
    if page is not None:
        page.shows(calls.ended, calls.seconds)
    server = grpc.aio.server(interceptors=[Guard(service_token, calls)], options=SERVER_OPTIONS)
    register(server)
    servicer = Health(parts)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    try:
        port = server.add_insecure_port(listen)
    except RuntimeError:
        raise ConfigError(
            f"{variable}={listen} is taken or not an address of this machine; "
            "stop what uses it, or choose another."
        ) from None
    await server.start()
    try:
        for name in ("", *names, *(part.name for part in parts)):
            await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
        yield Server(port)
    finally:
        await servicer.enter_graceful_shutdown()
        await server.stop(grace)


class Health(health.aio.HealthServicer):  # type: ignore[misc]  # it has no types
    """Says that a service serves only while what it cannot do without is there."""

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__()
        self._parts = {part.name: part for part in parts}

    async def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: Any
    ) -> health_pb2.HealthCheckResponse:
        answer: health_pb2.HealthCheckResponse = await super().Check(request, context)
        if answer.status == health_pb2.HealthCheckResponse.SERVING:
            one = self._parts.get(request.service)
            asked = [one] if one else [part for part in self._parts.values() if part.needed]
            problems = await asyncio.gather(*map(wrong, asked))
            if any(problem is not None for problem in problems):
                return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.NOT_SERVING)
        return answer


def user_token(context: Context) -> str:
    """The user's access token from a call's metadata, not verified yet.

    Raises Unauthenticated when there is none.
    """
    scheme, _, token = _metadata_value(context.invocation_metadata(), USER_KEY).partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise errors.Unauthenticated(
            "An access token is needed: Authorization: Bearer …", code="TOKEN_MISSING"
        )
    return token


class Guard(grpc.aio.ServerInterceptor):
    """In front of every method but health: the service token, the request id, and errors on the way out."""

    def __init__(self, service_token: str, calls: Calls | None = None) -> None:
        self._service_token = service_token
        self._calls = calls or Calls()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(details)
        if handler is None or details.method.startswith("/grpc.health.v1.Health/"):
            return handler
        shown = _metadata_value(details.invocation_metadata, SERVICE_KEY)
        admitted = hmac.compare_digest(shown.encode(), self._service_token.encode())
        service, _, name = details.method.strip("/").partition("/")
        if handler.unary_unary:
            counted = partial(self._calls.counted, name, timed=True)
            hop = partial(trace.hop, f"{service}/{name}", rpc_system__name="grpc", rpc_method=name)
            return handler._replace(unary_unary=_guard_unary(handler.unary_unary, admitted, counted, hop))
        counted = partial(self._calls.counted, name, timed=False)
        return handler._replace(unary_stream=_guard_stream(handler.unary_stream, admitted, counted))


def _guard_unary(method: Any, admitted: bool, counted: Counted, hop: Callable[[str], Any]) -> Any:
    async def guarded(request: Message, context: Context) -> Any:
        sent = _bind(context)
        if SANE_ID.fullmatch(room_id := getattr(request, "room_id", "")):
            structlog.contextvars.bind_contextvars(room_id=room_id)
        try:
            with hop(sent), counted():
                _admit(admitted)
                return await method(request, context)
        except Exception as error:
            await _abort(context, error)

    return guarded


def _guard_stream(method: Any, admitted: bool, counted: Counted) -> Any:
    async def guarded(request: Message, context: Context) -> AsyncIterator[Any]:
        _bind(context)
        try:
            with counted():
                _admit(admitted)
                async for message in method(request, context):
                    yield message
        except Exception as error:
            await _abort(context, error)

    return guarded


def _bind(context: Context) -> str:
    """Whose request this is, for every log line under it; each call has a context of its own. Its trace."""
    metadata = context.invocation_metadata()
    structlog.contextvars.bind_contextvars(request_id=_metadata_value(metadata, REQUEST_ID_KEY))
    return _metadata_value(metadata, trace.HEADER)


def _admit(admitted: bool) -> None:
    if not admitted:
        # Internal, not 401: a user whose services disagree need not log in again.
        raise errors.Internal("The services do not share a SERVICE_TOKEN.", code="SERVICE_TOKEN_INVALID")


async def _abort(context: Context, error: Exception) -> None:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if not isinstance(error, errors.CwrkError):
        logger.error("unexpected error", exc_info=error)
        error = errors.Internal("Something went wrong on our side.")
    carried = error_pb2.Error(
        code=error.code,
        message=error.message,
        retry_after_ms=int((error.retry_after or 0) * 1000),
        errors=[error_pb2.FieldError(field=e.field, message=e.message) for e in error.errors],
    )
    await context.abort(
        errors.GRPC_STATUS[type(error)],
        error.message,
        trailing_metadata=((ERROR_KEY, carried.SerializeToString()),),
    )


def _decode(status: grpc.StatusCode, raw: str | bytes) -> errors.CwrkError | None:
    try:
        carried = error_pb2.Error.FromString(raw if isinstance(raw, bytes) else raw.encode())
    except DecodeError:
        return None
    fields = tuple(errors.FieldError(e.field, e.message) for e in carried.errors)
    if fields:
        return errors.InvalidFields(*fields, code=carried.code)
    for kind, its_status in errors.GRPC_STATUS.items():
        if its_status is status:
            retry_after = carried.retry_after_ms / 1000 or None
            return kind(carried.message, code=carried.code, retry_after=retry_after)
    return None


def _metadata_value(metadata: Any, key: str) -> str:
    return next((str(value) for name, value in metadata or () if name == key), "")


def _is_loopback(listen: str) -> bool:
    host = listen.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
