"""The gateway as the tests run it, and a rooms service over real gRPC that answers what it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from google.protobuf.message import Message
from multidict import CIMultiDict, CIMultiDictProxy

from common import rpc
from common.errors import CwrkError
from gateway.config import Config
from gateway.serve import serve
from proto import rooms_pb2, rooms_pb2_grpc
from tests.auth.running import PASSWORD


@dataclass
class Answer:
    """An answer, read to its end."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Api:
    """A client of one gateway. `token` goes with every call once somebody has registered."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self.session = session
        self.port = port
        self.token = ""

    async def call(
        self, method: str, path: str, json: Any = None, *, headers: dict[str, str] | None = None, **more: Any
    ) -> Answer:
        sent = CIMultiDict({"Authorization": f"Bearer {self.token}"} if self.token else {})
        sent.update(headers or {})
        async with self.session.request(
            method, path, json=json, headers=sent, allow_redirects=False, **more
        ) as response:
            return Answer(response.status, response.headers, await response.text())

    async def register(self, email: str = "ann@example.org", name: str = "Ann") -> Any:
        """Register, and be that person from now on; the body of the answer."""
        body = {"email": email, "displayName": name, "password": PASSWORD}
        answer = await self.call("POST", "/auth/register", body)
        assert answer.status == 201, answer.text
        self.token = answer.json["accessToken"]
        return answer.json

    async def send_raw(self, request: bytes) -> bytes:
        """Bytes on a connection of their own; what came back until it closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        try:
            return await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()


@dataclass
class RecordedRooms(rooms_pb2_grpc.RoomsServicer):
    """Answers `answer` (or raises it), and keeps what it was asked and by whom."""

    address: str = ""
    answer: Message | CwrkError = field(default_factory=rooms_pb2.Room)
    asked: list[Message] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    # Do not answer before `release` is set: `stalled` when a call waits, `cancelled` when it was given up.
    stall: bool = False
    release: asyncio.Event = field(default_factory=asyncio.Event)
    stalled: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def _answer(self, request: Message, context: rpc.Context) -> Any:
        self.asked.append(request)
        self.tokens.append(rpc.user_token(context))
        metadata = dict(context.invocation_metadata() or ())
        self.request_ids.append(str(metadata.get("x-request-id", "")))
        self.traces.append(str(metadata.get("traceparent", "")))
        if self.stall:
            self.stalled.set()
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        if isinstance(self.answer, CwrkError):
            raise self.answer
        return self.answer

    async def CreateRoom(self, request: rooms_pb2.CreateRoomRequest, context: rpc.Context) -> Any:  # noqa: N802
        return await self._answer(request, context)

    async def ListRooms(self, request: rooms_pb2.ListRoomsRequest, context: rpc.Context) -> Any:  # noqa: N802
        return await self._answer(request, context)

    async def GetRoom(self, request: rooms_pb2.GetRoomRequest, context: rpc.Context) -> Any:  # noqa: N802
        return await self._answer(request, context)

    async def JoinRoom(self, request: rooms_pb2.JoinRoomRequest, context: rpc.Context) -> Any:  # noqa: N802
        return await self._answer(request, context)

    async def LeaveRoom(self, request: rooms_pb2.LeaveRoomRequest, context: rpc.Context) -> Any:  # noqa: N802
        return await self._answer(request, context)

    async def ListParticipants(  # noqa: N802
        self, request: rooms_pb2.ListParticipantsRequest, context: rpc.Context
    ) -> Any:
        return await self._answer(request, context)

    async def ListChat(self, request: rooms_pb2.ListChatRequest, context: rpc.Context) -> Any:  # noqa: N802
        return await self._answer(request, context)

    async def ListEvents(  # noqa: N802
        self, request: rooms_pb2.ListEventsRequest, context: rpc.Context
    ) -> Any:
        return await self._answer(request, context)

    async def UpdateRoom(  # noqa: N802
        self, request: rooms_pb2.UpdateRoomRequest, context: rpc.Context
    ) -> Any:
        return await self._answer(request, context)

    async def DeleteRoom(  # noqa: N802
        self, request: rooms_pb2.DeleteRoomRequest, context: rpc.Context
    ) -> Any:
        return await self._answer(request, context)

    async def Moderate(self, request: rooms_pb2.ModerateRequest, context: rpc.Context) -> Any:  # noqa: N802
        return await self._answer(request, context)

    async def ListBans(self, request: rooms_pb2.ListBansRequest, context: rpc.Context) -> Any:  # noqa: N802
        return await self._answer(request, context)

    async def CreateInvite(  # noqa: N802
        self, request: rooms_pb2.CreateInviteRequest, context: rpc.Context
    ) -> Any:
        return await self._answer(request, context)

    async def ListInvites(  # noqa: N802
        self, request: rooms_pb2.ListInvitesRequest, context: rpc.Context
    ) -> Any:
        return await self._answer(request, context)

    async def RevokeInvite(  # noqa: N802
        self, request: rooms_pb2.RevokeInviteRequest, context: rpc.Context
    ) -> Any:
        return await self._answer(request, context)

    async def AcceptInvite(  # noqa: N802
        self, request: rooms_pb2.AcceptInviteRequest, context: rpc.Context
    ) -> Any:
        return await self._answer(request, context)

    async def CreateTicket(  # noqa: N802
        self, request: rooms_pb2.CreateTicketRequest, context: rpc.Context
    ) -> Any:
        return await self._answer(request, context)

    async def GetTimer(self, request: rooms_pb2.GetTimerRequest, context: rpc.Context) -> Any:  # noqa: N802
        return await self._answer(request, context)

    async def SetTimer(self, request: rooms_pb2.SetTimerRequest, context: rpc.Context) -> Any:  # noqa: N802
        return await self._answer(request, context)

    async def Examine(self, request: rooms_pb2.ExamineRequest, context: rpc.Context) -> Any:  # noqa: N802
        return await self._answer(request, context)


@asynccontextmanager
async def running_rooms(listen: str = "127.0.0.1:0") -> AsyncIterator[RecordedRooms]:
    rooms = RecordedRooms()
    async with rpc.serve(
        listen,
        variable="ROOMS_LISTEN",
        service_token="",
        names=["cwrk.rooms.v1.Rooms"],
        register=lambda server: rooms_pb2_grpc.add_RoomsServicer_to_server(rooms, server),
        grace=0.1,
    ) as server:
        rooms.address = f"127.0.0.1:{server.port}"
        yield rooms


@asynccontextmanager
async def running_gateway(**settings: Any) -> AsyncIterator[int]:
    """The port of a gateway."""
    async with serve(Config(**{"port": 0, "drain_ms": 0, **settings})) as server:
        yield server.port
