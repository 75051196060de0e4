"""cwrk.auth.v1.Auth: protobuf in, one call of `Accounts`, protobuf out."""

from __future__ import annotations

from auth.accounts import Account, Accounts, TokenPair
from auth.keys import KeyRing
from auth.sessions import Origin
from common import rpc
from common.tokens import Identity, Verifier
from proto import auth_pb2, auth_pb2_grpc

NAME = auth_pb2.DESCRIPTOR.services_by_name["Auth"].full_name
# Kept for a list that a person reads; browsers' are some 120 characters long.
USER_AGENT_MAX = 256


class Service(auth_pb2_grpc.AuthServicer):
    def __init__(self, accounts: Accounts, ring: KeyRing) -> None:
        self._accounts = accounts
        self._ring = ring
        self._verifier = Verifier(self._jwks)

    async def Register(self, request: auth_pb2.RegisterRequest, context: rpc.Context) -> auth_pb2.Session:  # noqa: N802  # gRPC's names
        account, pair = await self._accounts.register(
            email=request.email,
            display_name=request.display_name,
            password=request.password,
            origin=_origin(request.origin),
            invite=request.invite,
        )
        return auth_pb2.Session(tokens=_tokens(pair), user=_user(account))

    async def Login(self, request: auth_pb2.LoginRequest, context: rpc.Context) -> auth_pb2.Session:  # noqa: N802
        account, pair = await self._accounts.login(
            email=request.email, password=request.password, origin=_origin(request.origin)
        )
        return auth_pb2.Session(tokens=_tokens(pair), user=_user(account))

    async def Refresh(self, request: auth_pb2.RefreshRequest, context: rpc.Context) -> auth_pb2.Tokens:  # noqa: N802
        return _tokens(await self._accounts.refresh(request.refresh_token, _origin(request.origin)))

    async def Logout(self, request: auth_pb2.LogoutRequest, context: rpc.Context) -> auth_pb2.LogoutResponse:  # noqa: N802
        await self._accounts.logout(await self._identify(context))
        return auth_pb2.LogoutResponse()

    async def Me(self, request: auth_pb2.MeRequest, context: rpc.Context) -> auth_pb2.User:  # noqa: N802
        return _user(await self._accounts.me(await self._identify(context)))

    async def GetKeySet(self, request: auth_pb2.KeySetRequest, context: rpc.Context) -> auth_pb2.KeySet:  # noqa: N802
        return auth_pb2.KeySet(jwks=await self._jwks())

    async def _identify(self, context: rpc.Context) -> Identity:
        return await self._verifier.verify(rpc.user_token(context))

    async def _jwks(self) -> str:
        return self._ring.jwks


def _origin(origin: auth_pb2.Origin) -> Origin:
    # PostgreSQL's text has no zero bytes, and a program may send one here.
    return Origin(
        address=origin.address.replace("\0", "")[:64],
        user_agent=origin.user_agent.replace("\0", "")[:USER_AGENT_MAX],
    )


def _tokens(pair: TokenPair) -> auth_pb2.Tokens:
    return auth_pb2.Tokens(
        access_token=pair.access_token, refresh_token=pair.refresh_token, expires_in=pair.expires_in
    )


def _user(account: Account) -> auth_pb2.User:
    return auth_pb2.User(
        id=account.id,
        email=account.email,
        email_verified=account.email_verified,
        display_name=account.display_name,
        avatar_url=account.avatar_url,
        created_at=int(account.created_at.timestamp()),
        updated_at=int(account.updated_at.timestamp()),
    )
