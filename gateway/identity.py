"""Who asks: the access token of a request, verified here with auth's public keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from common.errors import Forbidden, Unauthenticated
from common.tokens import Identity, Verifier

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SignedInHandler = Callable[[web.Request, Identity], Awaitable[web.StreamResponse]]


# Who asked, for the access log.
USER_ID = web.RequestKey("user_id", int)


class Door:
    """In front of every route that wants somebody signed in."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    def signed_in(self, handler: SignedInHandler) -> Handler:
        """A handler that is also told who asks; nobody gets past without a good token."""

        async def checked(request: web.Request) -> web.StreamResponse:
            identity = await self.identify(request)
            request[USER_ID] = identity.user_id
            return await handler(request, identity)

        return checked

    async def identify(self, request: web.Request) -> Identity:
        """Raises Unauthenticated, Forbidden (USER_ID_MISMATCH), and Unavailable without a key set."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("An access token is needed: Authorization: Bearer …", code="TOKEN_MISSING")
        identity = await self._verifier.verify(token)
        # Older clients say who they are. It is never believed, but one that is wrong about itself is told.
        claimed = request.headers.get("X-User-ID")
        if claimed is not None and claimed.strip() != str(identity.user_id):
            raise Forbidden("X-User-ID is not the user of this token.", code="USER_ID_MISMATCH")
        return identity
