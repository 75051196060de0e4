"""A running rooms service and its neighbours: auth's keys and a media worker, each a real gRPC servicer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

import aiohttp
import asyncpg
import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from common import rpc
from common.errors import CwrkError, NotFound, Unavailable
from common.tokens import AUDIENCE, ISSUER
from media.placements import Placements
from proto import auth_pb2, auth_pb2_grpc, media_pb2, media_pb2_grpc, rooms_pb2, rooms_pb2_grpc
from rooms.config import Config
from rooms.serve import Ports, serve
from rooms.websocket.connection import Timing
from tests import frames

PATIENCE = 10.0  # a test that waits longer has failed
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KID = "test"


def token(
    user_id: int, name: str | None = None, *, lives: float = 900, kid: str = KID, session: str = ""
) -> str:
    """An access token as auth makes them."""
    now = time.time()
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": session or f"session-{user_id}",
        "jti": uuid4().hex,
        "iat": int(now),
        "nbf": int(now),
        "exp": now + lives,
        "name": f"Person {user_id}" if name is None else name,
    }
    return jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": kid, "typ": "at+jwt"})


class Auth(auth_pb2_grpc.AuthServicer):
    """auth, as far as rooms needs it: the public keys, and what has ended."""

    def __init__(self) -> None:
        self.ended: list[auth_pb2.Revocation] = []
        self.said = asyncio.Condition()
        self.asked: list[auth_pb2.WatchRevocationsRequest] = []

    async def GetKeySet(  # noqa: N802
        self, request: auth_pb2.KeySetRequest, context: rpc.Context
    ) -> auth_pb2.KeySet:
        key = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        return auth_pb2.KeySet(jwks=json.dumps({"keys": [{**key, "kid": KID, "alg": "RS256"}]}))

    async def WatchRevocations(  # noqa: N802
        self, request: auth_pb2.WatchRevocationsRequest, context: rpc.Context
    ) -> AsyncIterator[auth_pb2.Revocation]:
        self.asked.append(request)
        told, caught_up = request.after_id, False
        while True:
            for revocation in self.ended[told:]:
                told = revocation.id
                if revocation.deleted_user_id or not request.deletions_only:
                    yield revocation
            if not caught_up:
                yield auth_pb2.Revocation(caught_up=True)
                caught_up = True
            async with self.said:
                await self.said.wait_for(lambda: len(self.ended) > told)  # noqa: B023  # before the next one

    async def revoke(self, **what: Any) -> None:
        """Tell all that listen, and all that come, that this has ended; by default now."""
        at = int(time.time() * 1000)
        self.ended.append(auth_pb2.Revocation(**{"id": len(self.ended) + 1, "at": at, **what}))
        async with self.said:
            self.said.notify_all()


class Media(media_pb2_grpc.MediaServicer):
    """A media worker without media: it notes the calls, and says what the test wants said."""

    def __init__(self) -> None:
        self.placements = Placements()
        self.refusal: CwrkError | None = None
        self.shut = False  # to new streams of events
        self.calls: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
        self.streams: list[asyncio.Queue[media_pb2.Event | None]] = []
        self.voices: dict[str, str] = {}
        self.answering = asyncio.Event()
        self.answering.set()

    async def Negotiate(  # noqa: N802
        self, request: media_pb2.NegotiateRequest, context: rpc.Context
    ) -> media_pb2.NegotiateResponse:
        self._take(request.room_id, request.generation)
        if self.refusal is not None:
            raise self.refusal
        self.calls.put_nowait(("negotiate", request.user_id, request.sdp, request.muted))
        voice_id = f"voice-{len(self.voices)}"
        self.voices[voice_id] = request.user_id
        await self.answering.wait()
        slots = [media_pb2.Slot(mid="1", user_id=""), media_pb2.Slot(mid="2", user_id="7")]
        return media_pb2.NegotiateResponse(sdp="answer", voice_id=voice_id, slots=slots)

    async def Attach(  # noqa: N802
        self, request: media_pb2.AttachRequest, context: rpc.Context
    ) -> media_pb2.AttachResponse:
        self._take(request.room_id, request.generation)
        self.calls.put_nowait(("attach", request.user_id, request.voice_id, request.muted))
        if request.voice_id not in self.voices:
            raise NotFound("There is no such voice.", code="VOICE_NOT_FOUND")
        return media_pb2.AttachResponse(slots=[media_pb2.Slot(mid="1", user_id="7")])

    async def SetMuted(  # noqa: N802
        self, request: media_pb2.SetMutedRequest, context: rpc.Context
    ) -> media_pb2.SetMutedResponse:
        self.calls.put_nowait(("set_muted", request.user_id, request.muted))
        return media_pb2.SetMutedResponse()

    async def Close(  # noqa: N802
        self, request: media_pb2.CloseRequest, context: rpc.Context
    ) -> media_pb2.CloseResponse:
        self.calls.put_nowait(("close", request.user_id))
        return media_pb2.CloseResponse()

    async def EndRoom(  # noqa: N802
        self, request: media_pb2.EndRoomRequest, context: rpc.Context
    ) -> media_pb2.EndRoomResponse:
        self.placements.take(request.room_id, request.generation)
        self.calls.put_nowait(("end_room", request.room_id, request.generation))
        return media_pb2.EndRoomResponse()

    def _take(self, room_id: str, generation: int) -> None:
        if self.placements.take(room_id, generation):
            held = media_pb2.RoomHeld(room_id=room_id, generation=generation)
            self.say(media_pb2.Event(room_held=held))

    async def Events(  # noqa: N802
        self, request: media_pb2.EventsRequest, context: rpc.Context
    ) -> AsyncIterator[media_pb2.Event]:
        if self.shut:
            raise Unavailable("Not reached.")
        stream: asyncio.Queue[media_pb2.Event | None] = asyncio.Queue()
        self.streams.append(stream)
        yield media_pb2.Event(hello=media_pb2.WorkerHello(worker_id="worker-1"))
        while (event := await stream.get()) is not None:
            yield event

    def say(self, event: media_pb2.Event) -> None:
        """To everybody who listens."""
        for stream in self.streams:
            stream.put_nowait(event)

    def hang_up(self) -> None:
        """End the event streams, as a worker that dies does."""
        for stream in self.streams:
            stream.put_nowait(None)
        self.streams.clear()

    async def called(self) -> tuple[Any, ...]:
        """The next call."""
        return await asyncio.wait_for(self.calls.get(), PATIENCE)


@asynccontextmanager
async def grpc_server(add: Any, servicer: Any) -> AsyncIterator[str]:
    """A real gRPC server; its address."""
    server = grpc.aio.server(interceptors=[rpc.Guard("")], options=rpc.SERVER_OPTIONS)
    add(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


@dataclass
class Socket:
    """One websocket, with what it received."""

    ws: aiohttp.ClientWebSocketResponse
    seen: list[dict[str, Any]] = field(default_factory=list)

    async def send(
        self, kind: str, payload: dict[str, Any] | None = None, *, wrong: bool = False, **top: Any
    ) -> None:
        """A frame as published, unless it is `wrong` on purpose."""
        frame = {"type": kind, "payload": payload or {}, **top}
        if not wrong:
            frames.RECEIVED.check(frame)
        await self.ws.send_json(frame)

    async def next(self) -> dict[str, Any]:
        """The next frame."""
        return self._saw(await asyncio.wait_for(self.ws.receive_json(), PATIENCE))

    async def until(self, *kinds: str) -> dict[str, Any]:
        """The next frame of one of these types; what comes before it is in `seen`."""
        while (frame := await self.next())["type"] not in kinds:
            pass
        return frame

    async def payload(self, kind: str) -> dict[str, Any]:
        """The payload of the next frame of this type."""
        payload: dict[str, Any] = (await self.until(kind))["payload"]
        return payload

    async def closed(self) -> tuple[int | None, str]:
        """Read to the end: the close code and the reason."""
        while True:
            message = await asyncio.wait_for(self.ws.receive(), PATIENCE)
            if message.type is aiohttp.WSMsgType.TEXT:
                self._saw(message.json())
            elif message.type is aiohttp.WSMsgType.CLOSE:
                return message.data, message.extra or ""
            elif message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                return self.ws.close_code, ""

    def _saw(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Every frame is as published."""
        frames.SENT.check(frame)
        self.seen.append(frame)
        return frame


@dataclass
class Rooms:
    """One replica, and everything needed to talk to it."""

    ports: Ports
    media: Media
    config: Config
    http: aiohttp.ClientSession
    client: rpc.Client
    stub: Any
    stack: contextlib.AsyncExitStack

    async def call(self, method: str, request: Any, user_id: int) -> Any:
        """A gRPC call of a user."""
        return await self.client.call(getattr(self.stub, method), request, user_token=token(user_id))

    async def create(self, user_id: int = 1, **fields: Any) -> str:
        """A new room; its id."""
        fields.setdefault("name", "Algebra")
        return str((await self.call("CreateRoom", rooms_pb2.CreateRoomRequest(**fields), user_id)).id)

    async def join(self, room_id: str, *user_ids: int) -> None:
        for user_id in user_ids:
            await self.call("JoinRoom", rooms_pb2.JoinRoomRequest(room_id=room_id), user_id)

    async def leave(self, room_id: str, user_id: int) -> None:
        await self.call("LeaveRoom", rooms_pb2.LeaveRoomRequest(room_id=room_id), user_id)

    def url(self, room_id: str, **query: Any) -> str:
        params = "&".join(f"{name}={value}" for name, value in query.items())
        return f"ws://127.0.0.1:{self.ports.websocket}/ws/rooms/{room_id}?{params}"

    async def dial(self, url: str, **options: Any) -> Socket:
        """Any websocket; it is closed at the end of the test."""
        ws = await self.http.ws_connect(url, max_msg_size=0, **options)
        self.stack.push_async_callback(ws.close)
        return Socket(ws)

    async def connect(self, room_id: str, user_id: int, **query: Any) -> Socket:
        """A member's websocket, with hello and state read."""
        url = self.url(room_id, access_token=token(user_id), user_id=user_id, **query)
        socket = await self.dial(url)
        await socket.until("state")
        return socket

    async def enter(self, room_id: str, *user_ids: int) -> list[Socket]:
        """These people join and connect, one after the other; each has seen the later ones come."""
        sockets: list[Socket] = []
        for user_id in user_ids:
            await self.join(room_id, user_id)
            newcomer = await self.connect(room_id, user_id)
            for socket in sockets:
                await socket.until("peer_joined")
            sockets.append(newcomer)
        return sockets

    async def execute(self, sql: str, *values: Any) -> None:
        """A statement behind the service's back."""
        await self.fetch(sql, *values)

    async def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """The same, and its rows."""
        connection = await asyncpg.connect(self.config.database_url)
        try:
            return list(await connection.fetch(sql, *values))
        finally:
            await connection.close()


@dataclass
class Stack:
    """The neighbours, and as many replicas as a test starts."""

    database_url: str
    redis_url: str
    auth_addr: str
    media_addr: str
    auth: Auth
    media: Media
    stack: contextlib.AsyncExitStack

    async def worker(self) -> tuple[Media, str, contextlib.AsyncExitStack]:
        """Another media worker, its address, and what kills it when closed."""
        media, life = Media(), contextlib.AsyncExitStack()
        await self.stack.enter_async_context(life)
        address = await life.enter_async_context(
            grpc_server(media_pb2_grpc.add_MediaServicer_to_server, media)
        )
        return media, address, life

    async def start(self, **settings: Any) -> Rooms:
        """A replica that runs until the test ends."""
        return await self.stack.enter_async_context(self.running(**settings))

    @asynccontextmanager
    async def running(self, *, timing: Timing | None = None, **settings: Any) -> AsyncIterator[Rooms]:
        """A replica; leaving drains it. What was opened through it is closed first."""
        async with (
            self.serving(timing=timing, **settings) as (ports, config),
            self.talking_to(ports, config) as rooms,
        ):
            yield rooms

    @asynccontextmanager
    async def serving(
        self, *, timing: Timing | None = None, **settings: Any
    ) -> AsyncIterator[tuple[Ports, Config]]:
        """A replica alone."""
        config = Config(
            **{
                "listen": "127.0.0.1:0",
                "ws_port": 0,
                "database_url": self.database_url,
                "redis_url": self.redis_url,
                "auth_addr": self.auth_addr,
                "media_addr": (self.media_addr,),
                "drain_ms": 0,
                **settings,
            }
        )
        async with serve(config, timing=timing or Timing()) as ports:
            yield ports, config

    @asynccontextmanager
    async def talking_to(self, ports: Ports, config: Config) -> AsyncIterator[Rooms]:
        """What a test needs to talk to a replica, whoever started it."""
        async with (
            rpc.connect(f"127.0.0.1:{ports.grpc}", "rooms", "") as client,
            aiohttp.ClientSession() as http,
            contextlib.AsyncExitStack() as stack,
        ):
            stub = rooms_pb2_grpc.RoomsStub(cast(Any, client.channel))
            yield Rooms(ports, self.media, config, http, client, stub, stack)


@asynccontextmanager
async def neighbours(database_url: str, redis_url: str = "") -> AsyncIterator[Stack]:
    """Everything rooms needs around it."""
    auth, media = cast(Any, Auth)(), Media()
    async with (
        grpc_server(auth_pb2_grpc.add_AuthServicer_to_server, auth) as auth_addr,
        grpc_server(media_pb2_grpc.add_MediaServicer_to_server, media) as media_addr,
        contextlib.AsyncExitStack() as stack,
    ):
        yield Stack(database_url, redis_url, auth_addr, media_addr, auth, media, stack)
        # The event streams end before their server does.
        stack.callback(media.hang_up)


def texts(seen: Iterable[dict[str, Any]]) -> list[str]:
    """What was said, in the order in which it came."""
    return [frame["payload"]["message"] for frame in seen if frame["type"] == "chat"]
