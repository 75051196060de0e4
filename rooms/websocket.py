"""The websocket's door: upgrade, origin, credentials, the reader, and close codes.

A browser cannot see an HTTP refusal, so with an Origin it is accepted and closed
with the code; a program (no Origin) gets the HTTP status as problem+json.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from common import log, problems
from common.errors import (
    CLOSE_CODE,
    CwrkError,
    Forbidden,
    Internal,
    Malformed,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from common.headers import protect
from common.tokens import Identity, Verifier
from rooms.connection import Connection, Pong, Timing
from rooms.frames import BadFrame, decode, encode, resume_of
from rooms.hub import Hub
from rooms.incoming import MAX_CHAT_CODE_POINTS, MAX_FRAME_BYTES, Auth, Resume
from rooms.limits import CHAT_BURST, CHAT_PER_SECOND, Limits
from rooms.open_sessions import OpenSessions
from rooms.outgoing import AuthOk, Hello, error
from rooms.outgoing import Limits as Accepted
from rooms.participant import Member
from rooms.requests import room_id_of

BINARY = (1003, "TEXT_ONLY")
RATE = (4102, "RATE_LIMITED")

logger = log.get("rooms.websocket")


@dataclass
class Door:
    """`GET /ws/rooms/{id}` and `GET /healthz`."""

    hub: Hub
    verifier: Verifier
    sessions: OpenSessions
    allowed_origins: tuple[str, ...]
    ice_servers: tuple[Mapping[str, Any], ...]
    timing: Timing
    draining: bool = field(default=False, init=False)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[answered])
        app.router.add_get("/ws/rooms/{id}", self.room)
        app.router.add_get("/healthz", self.healthz)
        return app

    async def healthz(self, request: web.Request) -> web.Response:
        """Whether new connections are taken."""
        return web.json_response(
            {"status": "draining" if self.draining else "ok"}, status=503 if self.draining else 200
        )

    async def room(self, request: web.Request) -> web.StreamResponse:
        """One websocket, from the upgrade to its end."""
        socket = web.WebSocketResponse(
            timeout=self.timing.close, autoping=False, compress=False, max_msg_size=MAX_FRAME_BYTES
        )
        if not socket.can_prepare(request).ok:
            raise Malformed("This address is a websocket's.", code="NOT_A_WEBSOCKET")
        visitor = None
        if "Origin" not in request.headers and _token_in(request):
            visitor = await self._visitor(request, None)
        await socket.prepare(request)
        try:
            visitor = visitor or await self._visitor(request, socket)
            await self._serve(visitor, socket, request)
        except Exception as error:
            refusal = _refusal(error)
            await socket.close(code=CLOSE_CODE[type(refusal)], message=refusal.code.encode())
        return socket

    async def _visitor(self, request: web.Request, socket: web.WebSocketResponse | None) -> Visitor:
        """Who comes, with a seat taken for them. Where the URL has no token, `socket`'s first frame has.

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
        if not token and socket is not None:
            first = await self._first_frame(socket)
            token, resume = first.access_token, first.resume or resume
        identity = await self.verifier.verify(token)
        if request.query.get("user_id", str(identity.user_id)) != str(identity.user_id):
            raise Forbidden("user_id is not the token's subject.", code="USER_ID_MISMATCH")
        return Visitor(room_id, identity, await self.hub.admit(room_id, identity), resume)

    async def _first_frame(self, socket: web.WebSocketResponse) -> Auth:
        try:
            async with asyncio.timeout(self.timing.auth):
                message = await socket.receive()
        except TimeoutError:
            raise Unauthenticated("No auth frame came.", code="TOKEN_MISSING") from None
        if message.type is WSMsgType.TEXT:
            try:
                first = decode(message.data).message
            except BadFrame as bad:
                raise bad.error from None
            if isinstance(first, Auth):
                return first
        raise Unauthenticated("The first frame must be auth.", code="TOKEN_MISSING")

    async def _serve(self, visitor: Visitor, socket: web.WebSocketResponse, request: web.Request) -> None:
        loop = asyncio.get_running_loop()
        expires_at = loop.time() + visitor.identity.expires_at - time.time()
        connection = Connection(socket, request.transport, self.timing, expires_at)
        await self.hub.attach(
            visitor.room_id, visitor.member, connection, self._hello(connection), visitor.resume
        )
        # The path alone: the query may hold a token.
        bound = logger.bind(path=request.path, user=visitor.identity.user_id, conn=connection.conn_id)
        bound.info("connection opened")
        self.sessions.speaks_for(visitor.room_id, connection.conn_id, visitor.identity)
        reader = Reader(self, visitor, connection, Limits(loop.time()))
        connection.reading = asyncio.create_task(reader.run())
        try:
            await connection.run()
        finally:
            self.sessions.gone(visitor.room_id, connection.conn_id)
            self.hub.detach(visitor.room_id, connection.conn_id)
            connection.reading.cancel()
            code, reason = connection.closed_with or (0, "")
            bound.info("connection closed", code=int(socket.close_code or code), reason=reason)

    def _hello(self, connection: Connection) -> Hello:
        return Hello(
            conn_id=connection.conn_id,
            epoch=self.hub.epoch,
            last_seq=0,  # the room fills it in
            heartbeat_ms=int(self.timing.ping * 1000),
            limits=Accepted(MAX_FRAME_BYTES, MAX_CHAT_CODE_POINTS, CHAT_PER_SECOND, CHAT_BURST),
            ice_servers=self.ice_servers,
            server_time_ms=int(time.time() * 1000),
        )


@dataclass(frozen=True)
class Visitor:
    """An admitted websocket's owner."""

    room_id: str
    identity: Identity
    member: Member
    resume: Resume | None


@dataclass
class Reader:
    """Takes a connection's frames to the hub, within the limits."""

    door: Door
    visitor: Visitor
    connection: Connection
    limits: Limits

    async def run(self) -> None:
        """Until the client ends it, or the connection is closed and cancels this."""
        try:
            await self._read()
        except Exception as error:
            refusal = _refusal(error)
            self.connection.close(CLOSE_CODE[type(refusal)], refusal.code)
        finally:
            self.connection.close(1000, "")

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            message = await self.connection.websocket.receive()
            now = self.connection.heard_at = loop.time()
            if message.type is WSMsgType.TEXT:
                await self._text(message.data, now)
            elif message.type is WSMsgType.PING:
                if not self.limits.frame(now):
                    self.connection.send(Pong(message.data))
            elif message.type is WSMsgType.BINARY:
                self.connection.close(*BINARY)
            elif message.type is not WSMsgType.PONG:
                return

    async def _text(self, text: str, now: float) -> None:
        if self.connection.closing:
            return None
        if wait := self.limits.frame(now):
            return self._over(wait, now)
        try:
            frame = decode(text)
        except BadFrame as bad:
            return self._refuse(bad.error, bad.ref_id, bad.about)
        if wait := self.limits.message(frame.message, now):
            return self._over(wait, now, frame.ref_id, frame.about)
        if isinstance(frame.message, Auth):
            await self._renew(frame.message, frame.ref_id)
        else:
            self.door.hub.receive(self.visitor.room_id, self.connection.conn_id, frame)
        return None

    async def _renew(self, auth: Auth, ref_id: str | None) -> None:
        """A newer token of the same person, before the old one ends."""
        try:
            identity = await self.door.verifier.verify(auth.access_token)
        except CwrkError as problem:
            return self._refuse(problem, ref_id)
        if identity.user_id != self.visitor.identity.user_id:
            return self._refuse(Forbidden("That is somebody else's token.", code="USER_ID_MISMATCH"), ref_id)
        self.connection.expires_at = asyncio.get_running_loop().time() + identity.expires_at - time.time()
        self.connection.send(encode(AuthOk(int(identity.expires_at)), ref_id=ref_id))
        self.door.sessions.speaks_for(self.visitor.room_id, self.connection.conn_id, identity)
        return None

    def _over(self, wait: float, now: float, ref_id: str | None = None, about: str | None = None) -> None:
        if self.limits.exhausted(now):
            self.connection.close(*RATE)
            return
        over = TooMany("Too much at once. Wait a moment.", retry_after=wait)
        self._refuse(over, ref_id, about)

    def _refuse(self, problem: CwrkError, ref_id: str | None, about: str | None = None) -> None:
        self.connection.send(encode(error(problem, about or ref_id), ref_id=ref_id))


@web.middleware
async def answered(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """What a program sees of a refusal: problem+json (RFC 9457)."""
    request_id = uuid4().hex
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        answer = problems.of_refusal(refusal, request_id)
    except ConnectionError:
        raise
    except Exception as error:
        answer = problems.of_error(_refusal(error), request_id)
    protect(answer, request_id)
    return answer


def _refusal(error: Exception) -> CwrkError:
    """What the other side is told: a fault of ours is in the log, and not in the answer."""
    if isinstance(error, CwrkError):
        return error
    logger.error("unexpected error", exc_info=error)
    return Internal("Something went wrong on our side.")


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
