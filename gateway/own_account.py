"""The routes of one's own sessions, name and password: parse, one call, JSON. Bodies are camelCase."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from common import rpc
from common.errors import NotFound
from common.tokens import Identity
from gateway import bodies
from gateway.accounts import PASSWORD_DEADLINE_SECONDS, user_json
from gateway.answers import json_answer
from proto import auth_pb2, auth_pb2_grpc


class OwnAccount:
    def __init__(self, auth: rpc.Client) -> None:
        self._auth = auth
        self._stub = auth_pb2_grpc.AuthStub(auth.channel)

    async def logout(self, _request: web.Request, identity: Identity) -> web.Response:
        await self._auth.call(self._stub.Logout, auth_pb2.LogoutRequest(), user_token=identity.token)
        return web.Response(status=204)

    async def sessions(self, _request: web.Request, identity: Identity) -> web.Response:
        found = await self._auth.call(
            self._stub.ListSessions, auth_pb2.ListSessionsRequest(), user_token=identity.token
        )
        return json_answer({"items": [_session(session) for session in found.items]})

    async def end_session(self, request: web.Request, identity: Identity) -> web.Response:
        message = auth_pb2.RevokeSessionRequest(session_id=_session_id(request))
        await self._auth.call(self._stub.RevokeSession, message, user_token=identity.token)
        return web.Response(status=204)

    async def end_all_sessions(self, _request: web.Request, identity: Identity) -> web.Response:
        message = auth_pb2.RevokeSessionRequest()  # without an id: all of them
        await self._auth.call(self._stub.RevokeSession, message, user_token=identity.token)
        return web.Response(status=204)

    async def change_password(self, request: web.Request, identity: Identity) -> web.Response:
        body = await bodies.read(request)
        message = auth_pb2.ChangePasswordRequest(
            current_password=body.text("currentPassword"), new_password=body.text("newPassword")
        )
        body.check()
        await self._auth.call(
            self._stub.ChangePassword,
            message,
            user_token=identity.token,
            timeout=PASSWORD_DEADLINE_SECONDS,
        )
        return web.Response(status=204)

    async def update(self, request: web.Request, identity: Identity) -> web.Response:
        body = await bodies.read(request)
        message = auth_pb2.UpdateMeRequest(display_name=body.given_text("displayName"))
        body.check()
        user = await self._auth.call(self._stub.UpdateMe, message, user_token=identity.token)
        return json_answer(user_json(user))


def _session_id(request: web.Request) -> str:
    """The session of the path. What is no UUID names none: NotFound, and nobody has to be asked."""
    session_id = request.match_info["id"].lower()
    if not bodies.UUID.fullmatch(session_id):
        raise NotFound("There is no such session.", code="SESSION_NOT_FOUND")
    return session_id


def _session(session: auth_pb2.SessionInfo) -> dict[str, Any]:
    return {
        "id": session.id,
        "device": session.device,
        "address": session.address,
        "createdAt": session.created_at,
        "lastSeenAt": session.last_seen_at,
        "current": session.current,
    }
