"""cwrk.rooms.v1.Rooms: protobuf to the store and the hub, and back."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from uuid import UUID

from common import rpc, text
from common.errors import FieldError, InvalidFields
from common.tokens import Identity, Verifier
from proto import rooms_pb2, rooms_pb2_grpc
from rooms.cursors import Cursors
from rooms.hub import Hub
from rooms.idempotency import Key
from rooms.records import ChatRecord, RoomRecord, SeatRecord
from rooms.store import Store, gone

NAME = "cwrk.rooms.v1.Rooms"

MAX_NAME, MAX_TOPIC, MAX_QUERY = 100, 500, 100
MAX_PARTICIPANTS, DEFAULT_PARTICIPANTS = 500, 10
VISIBILITIES = ("public", "unlisted", "private")
DEFAULT_LIMIT, MAX_LIMIT = 50, 100


class RoomsService(rooms_pb2_grpc.RoomsServicer):
    """Every method verifies the user's token first."""

    def __init__(self, store: Store, hub: Hub, verifier: Verifier, cursors: Cursors) -> None:
        self._store = store
        self._hub = hub
        self._verifier = verifier
        self._cursors = cursors

    async def _who(self, context: rpc.Context) -> Identity:
        return await self._verifier.verify(rpc.user_token(context))

    async def CreateRoom(  # noqa: N802
        self, request: rooms_pb2.CreateRoomRequest, context: rpc.Context
    ) -> rooms_pb2.Room:
        identity = await self._who(context)
        wrong: list[FieldError] = []
        name = _line("name", request.name, wrong, longest=MAX_NAME)
        topic = _line("topic", request.topic, wrong, longest=MAX_TOPIC, needed=False)
        maximum = request.max if request.HasField("max") else DEFAULT_PARTICIPANTS
        visibility = request.visibility or "public"
        if not 1 <= maximum <= MAX_PARTICIPANTS:
            wrong.append(FieldError("max", f"must be 1 to {MAX_PARTICIPANTS}"))
        if visibility not in VISIBILITIES:
            wrong.append(FieldError("visibility", "must be one of " + ", ".join(VISIBILITIES)))
        if wrong:
            raise InvalidFields(*wrong)
        room = await self._store.create(
            identity,
            name=name,
            topic=topic,
            visibility=visibility,
            max_participants=maximum,
            key=_key(request.idempotency_key, name, topic, visibility, maximum),
        )
        return _room(room)

    async def ListRooms(  # noqa: N802
        self, request: rooms_pb2.ListRoomsRequest, context: rpc.Context
    ) -> rooms_pb2.ListRoomsResponse:
        identity = await self._who(context)
        wrong: list[FieldError] = []
        limit, query = (
            _limit(request.limit),
            _line("q", request.query, wrong, longest=MAX_QUERY, needed=False),
        )
        if wrong:
            raise InvalidFields(*wrong)
        scope = f"rooms {identity.user_id} {query}"
        before = UUID(self._cursors.open(scope, request.cursor)) if request.cursor else None
        found = await self._store.list_rooms(identity.user_id, query=query, before=before, limit=limit + 1)
        page = found[:limit]
        cursor = self._cursors.seal(scope, str(page[-1].id)) if len(found) > limit else ""
        return rooms_pb2.ListRoomsResponse(items=[_room(room) for room in page], next_cursor=cursor)

    async def GetRoom(  # noqa: N802
        self, request: rooms_pb2.GetRoomRequest, context: rpc.Context
    ) -> rooms_pb2.Room:
        identity = await self._who(context)
        return _room(await self._store.room(room_id_of(request.room_id), identity.user_id))

    async def JoinRoom(  # noqa: N802
        self, request: rooms_pb2.JoinRoomRequest, context: rpc.Context
    ) -> rooms_pb2.JoinRoomResponse:
        identity = await self._who(context)
        room_id = room_id_of(request.room_id)
        await self._hub.join(str(room_id), identity)
        return rooms_pb2.JoinRoomResponse(room_id=str(room_id), peer_id=str(identity.user_id))

    async def LeaveRoom(  # noqa: N802
        self, request: rooms_pb2.LeaveRoomRequest, context: rpc.Context
    ) -> rooms_pb2.LeaveRoomResponse:
        identity = await self._who(context)
        await self._hub.leave(str(room_id_of(request.room_id)), identity.user_id)
        return rooms_pb2.LeaveRoomResponse(status="left")

    async def ListParticipants(  # noqa: N802
        self, request: rooms_pb2.ListParticipantsRequest, context: rpc.Context
    ) -> rooms_pb2.ListParticipantsResponse:
        identity = await self._who(context)
        seats = await self._store.seats(room_id_of(request.room_id), identity.user_id)
        return rooms_pb2.ListParticipantsResponse(items=[_participant(seat) for seat in seats])

    async def ListChat(  # noqa: N802
        self, request: rooms_pb2.ListChatRequest, context: rpc.Context
    ) -> rooms_pb2.ListChatResponse:
        identity = await self._who(context)
        room_id, limit = room_id_of(request.room_id), _limit(request.limit)
        scope = f"chat {room_id}"
        before = int(self._cursors.open(scope, request.after)) if request.after else None
        found = await self._store.chat(room_id, identity.user_id, before=before, limit=limit + 1)
        page = found[:limit]
        cursor = self._cursors.seal(scope, str(page[-1].seq)) if len(found) > limit else ""
        return rooms_pb2.ListChatResponse(
            items=[_chat_item(str(room_id), item) for item in page], next_cursor=cursor
        )


def room_id_of(raw: str) -> UUID:
    """A room's id. Raises NotFound for what is none: there is no such room."""
    try:
        return UUID(raw)
    except ValueError:
        raise gone() from None


def _key(text: str, *body: object) -> Key | None:
    return Key(text, hashlib.sha256(json.dumps(body).encode()).digest()) if text else None


def _line(field: str, raw: str, wrong: list[FieldError], *, longest: int, needed: bool = True) -> str:
    """The line to keep; what is wrong with it is added to `wrong`, so that all is told at once."""
    try:
        return text.line(raw, longest=longest, needed=needed)
    except ValueError as error:
        wrong.append(FieldError(field, str(error)))
        return raw


def _limit(asked: int) -> int:
    if asked < 0:
        raise InvalidFields(FieldError("limit", "must not be negative"))
    return min(asked or DEFAULT_LIMIT, MAX_LIMIT)


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else ""


def _room(room: RoomRecord) -> rooms_pb2.Room:
    return rooms_pb2.Room(
        id=str(room.id),
        name=room.name,
        max_participants=room.max_participants,
        created_at=_time(room.created_at),
        owner_id=room.owner_id,
        topic=room.topic,
        visibility=room.visibility,
        participants=room.participants,
        unread=room.unread,
    )


def _participant(seat: SeatRecord) -> rooms_pb2.Participant:
    return rooms_pb2.Participant(
        user_id=str(seat.user_id),
        display_name=seat.display_name,
        role=seat.role,
        joined_at=_time(seat.taken_at),
        last_seen=_time(seat.seen_at),
        online=seat.online,
        muted=bool(seat.muted_by),
        muted_by=seat.muted_by,
    )


def _chat_item(room_id: str, item: ChatRecord) -> rooms_pb2.ChatItem:
    return rooms_pb2.ChatItem(
        id=str(item.id),
        room_id=room_id,
        user_id=str(item.user_id),
        display_name=item.display_name,
        text=item.text,
        created_at=_time(item.created_at),
        reply_to=str(item.reply_to) if item.reply_to else "",
        seq=item.seq,
        edited_at=_time(item.edited_at),
        deleted=item.deleted,
    )
