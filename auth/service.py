"""cwrk.auth.v1.Auth: protobuf in, one call of the rules, protobuf out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import structlog

from auth.accounts import Account, Accounts, TokenPair
from auth.devices import device
from auth.leaving import Leaving
from auth.own_account import OwnAccount
from auth.recovery import Recovery
from auth.revocation_feed import Feed
from auth.revocations import Revocation
from auth.sessions import Origin, Session
from common import rpc
from common.tokens import Identity, Verifier
from proto import auth_pb2, auth_pb2_grpc

NAME = auth_pb2.DESCRIPTOR.services_by_name["Auth"].full_name
# Kept for a list that a person reads; browsers' are some 120 characters long.
USER_AGENT_MAX = 256


class KeySet(Protocol):
    """The public keys of now, as a JSON Web Key Set."""

    @property
    def jwks(self) -> str: ...


class Service(auth_pb2_grpc.AuthServicer):
    def __init__(
        self,
        accounts: Accounts,
        own: OwnAccount,
        feed: Feed,
        keys: KeySet,
        *,
        recovery: Recovery,
        leaving: Leaving,
    ) -> None:
        self._accounts = accounts
        self._own = own
        self._feed = feed
        self._recovery = recovery
        self._leaving = leaving
        self._keys = keys
        self._verifier = Verifier(self._jwks)

    async def Register(self, request: auth_pb2.RegisterRequest, context: rpc.Context) -> auth_pb2.Session:  # noqa: N802  # gRPC's names
        account, pair = await self._accounts.register(
            email=request.email,
            display_name=request.display_name,
            password=request.password,
            origin=_origin(request.origin),
            invite=request.invite,
        )
        self._recovery.welcome(account)
        return auth_pb2.Session(tokens=_tokens(pair), user=_user(account))

    async def Login(self, request: auth_pb2.LoginRequest, context: rpc.Context) -> auth_pb2.Session:  # noqa: N802
        account, pair = await self._accounts.login(
            email=request.email, password=request.password, origin=_origin(request.origin)
        )
        return auth_pb2.Session(tokens=_tokens(pair), user=_user(account))

    async def Refresh(self, request: auth_pb2.RefreshRequest, context: rpc.Context) -> auth_pb2.Tokens:  # noqa: N802
        return _tokens(await self._accounts.refresh(request.refresh_token, _origin(request.origin)))

    async def Logout(self, request: auth_pb2.LogoutRequest, context: rpc.Context) -> auth_pb2.LogoutResponse:  # noqa: N802
        await self._own.logout(await self._identify(context))
        return auth_pb2.LogoutResponse()

    async def Me(self, request: auth_pb2.MeRequest, context: rpc.Context) -> auth_pb2.User:  # noqa: N802
        return _user(await self._accounts.me(await self._identify(context)))

    async def UpdateMe(self, request: auth_pb2.UpdateMeRequest, context: rpc.Context) -> auth_pb2.User:  # noqa: N802
        name = request.display_name if request.HasField("display_name") else None
        return _user(await self._own.rename(await self._identify(context), name))

    async def ChangePassword(  # noqa: N802
        self, request: auth_pb2.ChangePasswordRequest, context: rpc.Context
    ) -> auth_pb2.ChangePasswordResponse:
        identity = await self._identify(context)
        await self._own.change_password(identity, current=request.current_password, new=request.new_password)
        return auth_pb2.ChangePasswordResponse()

    async def ListSessions(  # noqa: N802
        self, request: auth_pb2.ListSessionsRequest, context: rpc.Context
    ) -> auth_pb2.ListSessionsResponse:
        identity = await self._identify(context)
        found = await self._own.sessions(identity)
        return auth_pb2.ListSessionsResponse(
            items=[_session(session, current=identity.session_id) for session in found]
        )

    async def RevokeSession(  # noqa: N802
        self, request: auth_pb2.RevokeSessionRequest, context: rpc.Context
    ) -> auth_pb2.RevokeSessionResponse:
        identity = await self._identify(context)
        if request.session_id:
            await self._own.end(identity, request.session_id)
        else:
            await self._own.end_all(identity)
        return auth_pb2.RevokeSessionResponse()

    async def WatchRevocations(  # noqa: N802
        self, request: auth_pb2.WatchRevocationsRequest, context: rpc.Context
    ) -> AsyncIterator[auth_pb2.Revocation]:
        async for told in self._feed.watch(request.after_id, deletions_only=request.deletions_only):
            yield _revocation(told) if told else auth_pb2.Revocation(caught_up=True)

    async def DeleteMe(  # noqa: N802
        self, request: auth_pb2.DeleteMeRequest, context: rpc.Context
    ) -> auth_pb2.DeleteMeResponse:
        await self._leaving.delete(await self._identify(context), request.password)
        return auth_pb2.DeleteMeResponse()

    async def RequestVerification(  # noqa: N802
        self, request: auth_pb2.MailRequest, context: rpc.Context
    ) -> auth_pb2.MailResponse:
        await self._recovery.request_verification(request.email, _origin(request.origin).address)
        return auth_pb2.MailResponse()

    async def VerifyEmail(  # noqa: N802
        self, request: auth_pb2.VerifyEmailRequest, context: rpc.Context
    ) -> auth_pb2.VerifyEmailResponse:
        await self._recovery.verify(request.token)
        return auth_pb2.VerifyEmailResponse()

    async def RequestReset(  # noqa: N802
        self, request: auth_pb2.MailRequest, context: rpc.Context
    ) -> auth_pb2.MailResponse:
        await self._recovery.request_reset(request.email, _origin(request.origin).address)
        return auth_pb2.MailResponse()

    async def ResetPassword(  # noqa: N802
        self, request: auth_pb2.ResetPasswordRequest, context: rpc.Context
    ) -> auth_pb2.ResetPasswordResponse:
        await self._recovery.reset(request.token, request.password, _origin(request.origin).address)
        return auth_pb2.ResetPasswordResponse()

    async def GetKeySet(self, request: auth_pb2.KeySetRequest, context: rpc.Context) -> auth_pb2.KeySet:  # noqa: N802
        return auth_pb2.KeySet(jwks=await self._jwks())

    async def _identify(self, context: rpc.Context) -> Identity:
        identity = await self._verifier.verify(rpc.user_token(context))
        structlog.contextvars.bind_contextvars(user_id=identity.user_id)
        return identity

    async def _jwks(self) -> str:
        return self._keys.jwks


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


def _session(session: Session, *, current: str) -> auth_pb2.SessionInfo:
    return auth_pb2.SessionInfo(
        id=str(session.id),
        device=device(session.origin.user_agent),
        address=session.origin.address,
        created_at=int(session.created_at.timestamp()),
        last_seen_at=int(session.last_used_at.timestamp()),
        current=str(session.id) == current,
    )


def _revocation(told: Revocation) -> auth_pb2.Revocation:
    message = auth_pb2.Revocation(id=told.id, at=int(told.at.timestamp() * 1000))
    if told.session_id is not None:
        message.session_id = str(told.session_id)
    elif told.user_id is not None:
        message.user_id = told.user_id
    elif told.deleted_user_id is not None:
        message.deleted_user_id = told.deleted_user_id
    return message


def _user(account: Account) -> auth_pb2.User:
    return auth_pb2.User(
        id=account.id,
        email=account.email,
        email_verified=account.email_verified,
        display_name=account.display_name,
        avatar_url=account.avatar_url,
        created_at=int(account.created_at.timestamp()),
        updated_at=int(account.updated_at.timestamp()),
        administrator=account.administrator,
    )
