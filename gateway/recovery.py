"""The routes that go by letter, and the way out: parse, one call, 204. Bodies are camelCase."""

from __future__ import annotations

from aiohttp import web

from common import rpc
from common.tokens import Identity
from gateway import bodies
from gateway.accounts import PASSWORD_DEADLINE_SECONDS, origin_of
from proto import auth_pb2, auth_pb2_grpc


class Recovery:
    def __init__(self, auth: rpc.Client) -> None:
        self._auth = auth
        self._stub = auth_pb2_grpc.AuthStub(auth.channel)

    async def verify(self, request: web.Request) -> web.Response:
        """With a token: it proves an address. With an e-mail: a letter with another token."""
        body = await bodies.read(request)
        if body.optional_text("token"):
            proof = auth_pb2.VerifyEmailRequest(token=body.text("token"))
            body.check()
            await self._auth.call(self._stub.VerifyEmail, proof)
        else:
            wanted = auth_pb2.MailRequest(email=body.text("email"), origin=origin_of(request))
            body.check()
            await self._auth.call(self._stub.RequestVerification, wanted)
        return web.Response(status=204)

    async def forgot(self, request: web.Request) -> web.Response:
        body = await bodies.read(request)
        message = auth_pb2.MailRequest(email=body.text("email"), origin=origin_of(request))
        body.check()
        await self._auth.call(self._stub.RequestReset, message)
        return web.Response(status=204)

    async def reset(self, request: web.Request) -> web.Response:
        body = await bodies.read(request)
        message = auth_pb2.ResetPasswordRequest(
            token=body.text("token"), password=body.text("password"), origin=origin_of(request)
        )
        body.check()
        await self._auth.call(self._stub.ResetPassword, message, timeout=PASSWORD_DEADLINE_SECONDS)
        return web.Response(status=204)

    async def delete_account(self, request: web.Request, identity: Identity) -> web.Response:
        body = await bodies.read(request)
        message = auth_pb2.DeleteMeRequest(password=body.text("password"))
        body.check()
        await self._auth.call(
            self._stub.DeleteMe, message, user_token=identity.token, timeout=PASSWORD_DEADLINE_SECONDS
        )
        return web.Response(status=204)
