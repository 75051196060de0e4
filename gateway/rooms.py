"""The routes of /rooms and of one room: parse, one call, JSON. Bodies are snake_case."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from common import rpc
from common.errors import FieldError, InvalidFields, NotFound
from common.tokens import Identity
from gateway import bodies
from gateway.answers import json_answer
from proto import rooms_pb2, rooms_pb2_grpc

IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,128}")


class Rooms:
    def __init__(self, rooms: rpc.Client) -> None:
        self._rooms = rooms
        self._stub = rooms_pb2_grpc.RoomsStub(rooms.channel)

    async def create(self, request: web.Request, identity: Identity) -> web.Response:
        body = await bodies.read(request)
        message = rooms_pb2.CreateRoomRequest(
            name=body.text("name"),
            max=body.optional_integer("max"),
            topic=body.optional_text("topic"),
            visibility=body.optional_text("visibility"),
            idempotency_key=_idempotency_key(request),
        )
        body.check()
        room = await self._rooms.call(self._stub.CreateRoom, message, user_token=identity.token)
        return json_answer(room_json(room), status=201)

    async def list(self, request: web.Request, identity: Identity) -> web.Response:
        message = rooms_pb2.ListRoomsRequest(
            limit=bodies.query_limit(request),
            cursor=bodies.query_text(request, "cursor"),
            query=bodies.query_text(request, "q"),
        )
        page = await self._rooms.call(self._stub.ListRooms, message, user_token=identity.token)
        return json_answer(
            {"items": [room_json(room) for room in page.items], "next_cursor": page.next_cursor or None}
        )

    async def get(self, request: web.Request, identity: Identity) -> web.Response:
        message = rooms_pb2.GetRoomRequest(room_id=room_id(request))
        return json_answer(
            room_json(await self._rooms.call(self._stub.GetRoom, message, user_token=identity.token))
        )

    async def update(self, request: web.Request, identity: Identity) -> web.Response:
        room = room_id(request)
        body = await bodies.read(request)
        message = rooms_pb2.UpdateRoomRequest(
            room_id=room,
            name=body.given_text("name"),
            topic=body.given_text("topic"),
            visibility=body.given_text("visibility"),
            max=body.optional_integer("max"),
            locked=body.optional_flag("locked"),
            slow_mode_s=body.optional_integer("slow_mode_s"),
            listen_only=body.optional_flag("listen_only"),
            owner_id=body.given_user_id("owner_id"),
        )
        body.check()
        updated = await self._rooms.call(self._stub.UpdateRoom, message, user_token=identity.token)
        return json_answer(room_json(updated))

    async def delete(self, request: web.Request, identity: Identity) -> web.Response:
        message = rooms_pb2.DeleteRoomRequest(room_id=room_id(request))
        await self._rooms.call(self._stub.DeleteRoom, message, user_token=identity.token)
        return web.Response(status=204)

    async def join(self, request: web.Request, identity: Identity) -> web.Response:
        message = rooms_pb2.JoinRoomRequest(room_id=room_id(request))
        joined = await self._rooms.call(self._stub.JoinRoom, message, user_token=identity.token)
        return json_answer({"room_id": joined.room_id, "peer_id": joined.peer_id})

    async def leave(self, request: web.Request, identity: Identity) -> web.Response:
        message = rooms_pb2.LeaveRoomRequest(room_id=room_id(request))
        left = await self._rooms.call(self._stub.LeaveRoom, message, user_token=identity.token)
        return json_answer({"status": left.status})

    async def participants(self, request: web.Request, identity: Identity) -> web.Response:
        message = rooms_pb2.ListParticipantsRequest(room_id=room_id(request))
        found = await self._rooms.call(self._stub.ListParticipants, message, user_token=identity.token)
        return json_answer({"items": [_participant(participant) for participant in found.items]})


def room_id(request: web.Request) -> str:
    """The room of the path. What is no UUID names no room: NotFound, and nobody has to be asked."""
    named = request.match_info["id"].lower()
    if not bodies.UUID.fullmatch(named):
        raise NotFound("There is no such room.", code="ROOM_NOT_FOUND")
    return named


def room_json(room: rooms_pb2.Room) -> dict[str, Any]:
    """`room` of docs/protocol.md."""
    return {
        "id": room.id,
        "name": room.name,
        "max_participants": room.max_participants,
        "created_at": room.created_at,
        "owner_id": room.owner_id,
        "topic": room.topic,
        "visibility": room.visibility,
        "participants": room.participants,
        "unread": room.unread,
        "locked": room.locked,
        "slow_mode_s": room.slow_mode_s,
        "listen_only": room.listen_only,
        "role": room.role or None,
    }


def _idempotency_key(request: web.Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if "Idempotency-Key" in request.headers and not IDEMPOTENCY_KEY.fullmatch(key):
        raise InvalidFields(FieldError("Idempotency-Key", "must be 1 to 128 visible ASCII characters"))
    return key


def _participant(participant: rooms_pb2.Participant) -> dict[str, Any]:
    return {
        "user_id": participant.user_id,
        "display_name": participant.display_name,
        "avatar_url": participant.avatar_url,
        "role": participant.role,
        "joined_at": participant.joined_at,
        "last_seen": participant.last_seen or None,
        "online": participant.online,
        "muted": participant.muted,
        "muted_by": participant.muted_by or None,
        "hand_raised_at": participant.hand_raised_at or None,
    }
