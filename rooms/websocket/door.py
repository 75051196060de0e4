"""The websocket's door: upgrade, origin, credentials, and close codes.

A browser cannot see an HTTP refusal, so with an Origin it is accepted and closed
with the code; a program (no Origin) gets the HTTP status as problem+json.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import structlog
from aiohttp import web

from common import log, problems, readiness, trace
from common.clients import network_of
from common.errors import (
    CLOSE_CODE,
    Forbidden,
    Malformed,
    Unauthenticated,
    Unavailable,
)
from common.headers import protect, request_id_of
from common.readiness import Part
from common.tokens import Identity, Verifier
from rooms.core.limits import CHAT_BURST, CHAT_PER_SECOND, Limits
from rooms.core.participant import Member
from rooms.frames.codec import BadFrame, decode, resume_of
from rooms.frames.incoming import MAX_CHAT_CODE_POINTS, MAX_FRAME_BYTES, Auth, Resume
from rooms.frames.outgoing import Hello
from rooms.frames.outgoing import Limits as Accepted
from rooms.hub import Hub
from rooms.requests import room_id_of
from rooms.tables.tickets import Tickets
from rooms.websocket import wire
from rooms.websocket.connection import LOST, Clockwork, Connection, Timing
from rooms.websocket.flusher import Flusher
from rooms.websocket.open_sessions import OpenSessions
from rooms.websocket.places import Crowd
from rooms.websocket.reader import Reader, refusal_of, speaks_until
from rooms.websocket.upgrade import nobody_answers, take
from rooms.websocket.watch import Watch

logger = log.get("rooms.websocket")


@dataclass
class Door:
    """`GET /ws/rooms/{id}`, and how this replica is: `GET /healthz` and, part by part, `GET /readyz`."""

    hub: Hub
    verifier: Verifier
    sessions: OpenSessions
    tickets: Tickets
    allowed_origins: tuple[str, ...]
    ice_servers: Callable[[int], tuple[Mapping[str, Any], ...]]
    timing: Timing
    crowd: Crowd
    parts: Sequence[Part] = ()
    draining: bool = field(default=False, init=False)
    _arriving: set[asyncio.Task[Any]] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._clockwork = Clockwork(Watch(), Flusher(), self.timing)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[answered])
        app.router.add_get("/ws/rooms/{id}", self.room)
        app.router.add_get("/healthz", self.healthz)
        taking = Part("connections", self._taking, needed=True)
        app.router.add_get("/readyz", readiness.page((taking, *self.parts)))
        return app

    async def healthz(self, request: web.Request) -> web.Response:
        """Whether new connections are taken; and of Redis, without which all goes on, only slower."""
        return web.json_response(
            {"status": "draining" if self.draining else "ok", "redis": self.hub.log.fanout.state},
            status=503 if self.draining else 200,
        )

    async def _taking(self) -> str | None:
        return "This replica is about to stop." if self.draining else None

    async def room(self, request: web.Request) -> web.StreamResponse:
        """One websocket, until it is attached to its room."""
        answer = wire.accept(request.headers)
        if answer is None:
            raise Malformed("This address is a websocket's.", code="NOT_A_WEBSOCKET")
        # Before anything is done for it, and before it is agreed to: a browser tries again later.
        address = network_of(self.crowd.clients.address(request))
        self.crowd.addresses.take(address)
        try:
            visitor = None
            if "Origin" not in request.headers and (_token_in(request) or "ticket" in request.query):
                visitor = await self._visitor(request, None)
            connection = take(request, answer, lambda transport: Connection(transport, self._clockwork))
        except BaseException:
            self.crowd.addresses.give_back(address)
            raise
        connection.at_the_end(lambda: self.crowd.addresses.give_back(address))
        arriving = cast("asyncio.Task[Any]", asyncio.current_task())
        self._arriving.add(arriving)
        try:
            with trace.hop("websocket", request.headers.get(trace.HEADER, ""), http_route="/ws/rooms/{id}"):
                visitor = visitor or await self._visitor(request, connection)
                await self._attach(visitor, connection, request.path)
        except Exception as error:
            refusal = refusal_of(error)
            self.hub.sends.traffic.refused[refusal.code] += 1
            connection.close(CLOSE_CODE[type(refusal)], refusal.code)
        finally:
            self._arriving.discard(arriving)
        return nobody_answers()

    async def close(self) -> None:
        """End every websocket that is left: not attached yet, or never hanging up."""
        for arriving in self._arriving:
            arriving.cancel()
        await asyncio.gather(*self._arriving, return_exceptions=True)
        self._clockwork.watch.close()

    async def _visitor(self, request: web.Request, connection: Connection | None) -> Visitor:
        """Who comes, with a seat taken for them. Where the URL has no token or ticket, the first frame has.

        Raises every refusal there is.
        """
        origin = request.headers.get("Origin")
        if origin is not None and origin not in self.allowed_origins:
            raise Forbidden("This page may not connect here.", code="ORIGIN_NOT_ALLOWED")
        if self.draining:
            raise Unavailable("This server is about to stop.", code="DRAINING", retry_after=1.0)
        room_id = str(room_id_of(request.match_info["id"]))
        resume = _resume_in(request)
        token = _token_in(request)
        if "ticket" in request.query:
            identity = await self.tickets.redeem(UUID(room_id), request.query["ticket"])
            await self.verifier.check(identity)
        else:
            if not token and connection is not None:
                first = await self._first_frame(connection)
                token, resume = first.access_token, first.resume or resume
            identity = await self.verifier.verify(token)
        if request.query.get("user_id", str(identity.user_id)) != str(identity.user_id):
            raise Forbidden("user_id is not the token's subject.", code="USER_ID_MISMATCH")
        return Visitor(room_id, identity, await self.hub.admit(room_id, identity), resume)

    async def _first_frame(self, connection: Connection) -> Auth:
        first = FirstFrame(connection, asyncio.get_running_loop().create_future())
        connection.listen(first)
        try:
            async with asyncio.timeout(self.timing.auth):
                text = await first.text
        except TimeoutError:
            raise Unauthenticated("No auth frame came.", code="TOKEN_MISSING") from None
        try:
            message = decode(text).message
        except BadFrame as bad:
            raise bad.error from None
        if not isinstance(message, Auth):
            raise Unauthenticated("The first frame must be auth.", code="TOKEN_MISSING")
        return message

    async def _attach(self, visitor: Visitor, connection: Connection, path: str) -> None:
        room_id, identity = visitor.room_id, visitor.identity
        person = str(identity.user_id)
        self.crowd.people.take(person)
        connection.at_the_end(lambda: self.crowd.people.give_back(person))
        hello = self._hello(connection, identity.user_id)
        await self.hub.attach(room_id, visitor.member, connection, hello, visitor.resume)
        # The path alone: the query may hold a token.
        logger.info(
            "connection opened",
            path=path,
            room_id=room_id,
            user_id=identity.user_id,
            conn=connection.conn_id,
        )
        self.sessions.speaks_for(room_id, connection.conn_id, identity)
        speaks_until(connection, identity)
        limits = Limits(asyncio.get_running_loop().time())
        reader = Reader(
            self.hub, self.verifier, self.sessions, room_id, identity.user_id, connection, limits, self._gone
        )
        connection.listen(reader)
        self.hub.sends.traffic.attached += 1

    def _gone(self, reader: Reader) -> None:
        conn_id = reader.connection.conn_id
        self.sessions.gone(reader.room_id, conn_id)
        self.hub.detach(reader.room_id, conn_id)
        code, reason = reader.connection.closed_with or LOST
        self.hub.sends.traffic.closed[code] += 1
        logger.info(
            "connection closed",
            room_id=reader.room_id,
            user_id=reader.user_id,
            conn=conn_id,
            code=code,
            reason=reason,
        )

    def _hello(self, connection: Connection, user_id: int) -> Hello:
        return Hello(
            conn_id=connection.conn_id,
            epoch=self.hub.epoch,
            last_seq=0,  # the room fills it in
            heartbeat_ms=int(self.timing.ping * 1000),
            limits=Accepted(MAX_FRAME_BYTES, MAX_CHAT_CODE_POINTS, CHAT_PER_SECOND, CHAT_BURST),
            ice_servers=self.ice_servers(user_id),
            server_time_ms=int(time.time() * 1000),
        )


@dataclass(frozen=True)
class Visitor:
    """An admitted websocket's owner."""

    room_id: str
    identity: Identity
    member: Member
    resume: Resume | None


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """Listens for one message: what comes behind it waits."""

    connection: Connection
    text: asyncio.Future[str]

    def heard(self, event: wire.Event, now: float) -> None:
        if isinstance(event, str):
            self.connection.hold()
            if not self.text.done():
                self.text.set_result(event)

    def lost(self) -> None:
        if not self.text.done():
            self.text.set_exception(Unauthenticated("No auth frame came.", code="TOKEN_MISSING"))


@web.middleware
async def answered(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """What a program sees of a refusal: problem+json (RFC 9457)."""
    request_id = request_id_of(request)
    structlog.contextvars.bind_contextvars(request_id=request_id)  # each request has a context of its own
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        answer = problems.of_refusal(refusal, request_id)
    except ConnectionError:
        raise
    except Exception as error:
        answer = problems.of_error(refusal_of(error), request_id)
    protect(answer, request_id)
    return answer


def _token_in(request: web.Request) -> str:
    """From the URL, or as programs may, from the header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return request.query.get("access_token") or (token if scheme.lower() == "bearer" else "")


def _resume_in(request: web.Request) -> Resume | None:
    """`epoch` and `last_seq` of the URL. Raises InvalidFields."""
    if "last_seq" not in request.query:
        return None
    last_seq = request.query["last_seq"]
    number = int(last_seq) if last_seq.isascii() and last_seq.isdigit() and len(last_seq) < 17 else None
    return resume_of({"epoch": request.query.get("epoch"), "last_seq": number})
