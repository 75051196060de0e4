"""The routes by which moderators act on people: parse, one call, JSON."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from common import rpc
from common.errors import NotFound
from common.tokens import Identity
from gateway import bodies
from gateway.answers import json_answer
from gateway.rooms import room_id
from proto import rooms_pb2, rooms_pb2_grpc

USER_ID = re.compile(r"[1-9][0-9]{0,15}")
# What needs to be told nothing but whom.
PLAIN_ACTIONS = ("mute", "unmute", "kick", "unban")


class Moderation:
    def __init__(self, rooms: rpc.Client) -> None:
        self._rooms = rooms
        self._stub = rooms_pb2_grpc.RoomsStub(rooms.channel)

    async def plain(self, request: web.Request, identity: Identity) -> web.Response:
        """One of PLAIN_ACTIONS: the last word of the path."""
        return await self._moderate(_message(request), identity)

    async def ban(self, request: web.Request, identity: Identity) -> web.Response:
        message = _message(request)
        body = await bodies.read_optional(request)
        seconds = body.optional_integer("seconds")
        body.check()
        if seconds is not None:
            message.seconds = seconds
        return await self._moderate(message, identity)

    async def role(self, request: web.Request, identity: Identity) -> web.Response:
        message = _message(request)
        body = await bodies.read(request)
        message.role = body.text("role")
        body.check()
        return await self._moderate(message, identity)

    async def _moderate(self, message: rooms_pb2.ModerateRequest, identity: Identity) -> web.Response:
        done = await self._rooms.call(self._stub.Moderate, message, user_token=identity.token)
        return json_answer({"seq": done.seq})

    async def bans(self, request: web.Request, identity: Identity) -> web.Response:
        message = rooms_pb2.ListBansRequest(room_id=room_id(request))
        found = await self._rooms.call(self._stub.ListBans, message, user_token=identity.token)
        return json_answer({"items": [_ban(ban) for ban in found.items]})


def _message(request: web.Request) -> rooms_pb2.ModerateRequest:
    return rooms_pb2.ModerateRequest(
        room_id=room_id(request), user_id=_user_id(request), action=request.path.rpartition("/")[2]
    )


def _user_id(request: web.Request) -> str:
    """Whom the path names. What is no number is nobody: NotFound, and nobody has to be asked."""
    user_id = request.match_info["user_id"]
    if not USER_ID.fullmatch(user_id) or int(user_id) > bodies.INTEGER_MAX:
        raise NotFound("There is no such person here.", code="PERSON_NOT_FOUND")
    return user_id


def _ban(ban: rooms_pb2.Ban) -> dict[str, Any]:
    return {
        "user_id": ban.user_id,
        "display_name": ban.display_name,
        "by": ban.by,
        "created_at": ban.created_at,
        "until": ban.until or None,
    }
