"""The ways in: invites, by which people become members, and tickets, which open one websocket."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from common import rpc
from common.errors import NotFound
from common.tokens import Identity
from gateway import bodies
from gateway.addresses import Addresses
from gateway.answers import json_answer
from gateway.rooms import room_id, room_json
from proto import rooms_pb2, rooms_pb2_grpc

CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Entry:
    def __init__(self, rooms: rpc.Client, addresses: Addresses) -> None:
        self._rooms = rooms
        self._stub = rooms_pb2_grpc.RoomsStub(rooms.channel)
        self._addresses = addresses

    async def invite(self, request: web.Request, identity: Identity) -> web.Response:
        room = room_id(request)
        body = await bodies.read_optional(request)
        message = rooms_pb2.CreateInviteRequest(
            room_id=room,
            expires_in=body.optional_integer("expires_in"),
            max_uses=body.optional_integer("max_uses"),
        )
        body.check()
        invite = await self._rooms.call(self._stub.CreateInvite, message, user_token=identity.token)
        return json_answer(self._invite(invite), status=201)

    async def invites(self, request: web.Request, identity: Identity) -> web.Response:
        message = rooms_pb2.ListInvitesRequest(room_id=room_id(request))
        found = await self._rooms.call(self._stub.ListInvites, message, user_token=identity.token)
        return json_answer({"items": [self._invite(invite) for invite in found.items]})

    async def revoke(self, request: web.Request, identity: Identity) -> web.Response:
        message = rooms_pb2.RevokeInviteRequest(room_id=room_id(request), code=_code(request))
        await self._rooms.call(self._stub.RevokeInvite, message, user_token=identity.token)
        return web.Response(status=204)

    async def accept(self, request: web.Request, identity: Identity) -> web.Response:
        message = rooms_pb2.AcceptInviteRequest(code=_code(request))
        room = await self._rooms.call(self._stub.AcceptInvite, message, user_token=identity.token)
        return json_answer(room_json(room))

    async def ticket(self, request: web.Request, identity: Identity) -> web.Response:
        room = room_id(request)
        message = rooms_pb2.CreateTicketRequest(room_id=room)
        made = await self._rooms.call(self._stub.CreateTicket, message, user_token=identity.token)
        ws_url = f"{self._addresses.websocket(request)}/ws/rooms/{room}?ticket={made.ticket}"
        return json_answer(
            {"ticket": made.ticket, "expires_at": made.expires_at, "ws_url": ws_url}, status=201
        )

    def _invite(self, invite: rooms_pb2.Invite) -> dict[str, Any]:
        return {
            "code": invite.code,
            "url": self._addresses.invite(invite.code),
            "room_id": invite.room_id,
            "created_by": invite.created_by,
            "created_at": invite.created_at,
            "expires_at": invite.expires_at or None,
            "max_uses": invite.max_uses or None,
            "uses": invite.uses,
        }


def _code(request: web.Request) -> str:
    """The invite of the path. What cannot be a code is none: NotFound, and nobody has to be asked."""
    code = request.match_info["code"]
    if not CODE.fullmatch(code):
        raise NotFound("This invite does not hold (any more).", code="INVITE_INVALID")
    return code
