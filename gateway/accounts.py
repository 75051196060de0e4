"""The routes under /auth: parse, one call, JSON. Bodies are camelCase."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from common import rpc
from common.clients import ADDRESS
from common.tokens import Identity
from gateway import bodies
from gateway.answers import json_answer
from proto import auth_pb2, auth_pb2_grpc

KEY_SET_SECONDS = 300
# Hashing a password is slow on purpose, and when a class begins everybody does it at once: better late than
# refused. auth's queue is bounded so that it empties within this time.
PASSWORD_DEADLINE_SECONDS = 8.0
USER_AGENT_MAX = 256


class Accounts:
    def __init__(self, auth: rpc.Client) -> None:
        self._auth = auth
        self._stub = auth_pb2_grpc.AuthStub(auth.channel)

    async def register(self, request: web.Request) -> web.Response:
        body = await bodies.read(request)
        message = auth_pb2.RegisterRequest(
            email=body.text("email"),
            display_name=body.text("displayName"),
            password=body.text("password"),
            origin=origin_of(request),
            invite=body.optional_text("invite"),
        )
        body.check()
        session = await self._auth.call(self._stub.Register, message, timeout=PASSWORD_DEADLINE_SECONDS)
        return json_answer(_session(session), status=201)

    async def login(self, request: web.Request) -> web.Response:
        body = await bodies.read(request)
        message = auth_pb2.LoginRequest(
            email=body.text("email"), password=body.text("password"), origin=origin_of(request)
        )
        body.check()
        session = await self._auth.call(self._stub.Login, message, timeout=PASSWORD_DEADLINE_SECONDS)
        return json_answer(_session(session))

    async def refresh(self, request: web.Request) -> web.Response:
        body = await bodies.read(request)
        message = auth_pb2.RefreshRequest(refresh_token=body.text("refreshToken"), origin=origin_of(request))
        body.check()
        return json_answer(_tokens(await self._auth.call(self._stub.Refresh, message)))

    async def me(self, _request: web.Request, identity: Identity) -> web.Response:
        user = await self._auth.call(self._stub.Me, auth_pb2.MeRequest(), user_token=identity.token)
        return json_answer(user_json(user))

    async def key_set(self, _request: web.Request) -> web.Response:
        return web.Response(
            text=await self.fetch_key_set(),
            content_type="application/json",
            headers={"Cache-Control": f"public, max-age={KEY_SET_SECONDS}"},
        )

    async def fetch_key_set(self) -> str:
        """auth's public keys as a JSON Web Key Set, for the gateway's own verifier too."""
        return (await self._auth.call(self._stub.GetKeySet, auth_pb2.KeySetRequest())).jwks


def origin_of(request: web.Request) -> auth_pb2.Origin:
    """Where a request came from, for auth."""
    # Header bytes that are no UTF-8 arrive as lone surrogates, which protobuf refuses.
    agent = request.headers.get("User-Agent", "").encode("utf-8", "replace").decode()
    return auth_pb2.Origin(address=request[ADDRESS], user_agent=agent[:USER_AGENT_MAX])


def _session(session: auth_pb2.Session) -> dict[str, Any]:
    return {**_tokens(session.tokens), "user": user_json(session.user)}


def _tokens(tokens: auth_pb2.Tokens) -> dict[str, Any]:
    return {
        "accessToken": tokens.access_token,
        "refreshToken": tokens.refresh_token,
        "expiresIn": tokens.expires_in,
    }


def user_json(user: auth_pb2.User) -> dict[str, Any]:
    """`user` of docs/protocol.md."""
    return {
        "id": user.id,
        "email": user.email,
        "emailVerified": user.email_verified,
        "displayName": user.display_name,
        "avatarUrl": user.avatar_url,
        "createdAt": user.created_at,
        "updatedAt": user.updated_at,
        "administrator": user.administrator,
    }
