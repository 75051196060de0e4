"""Who asks: the access token of a request, verified here with auth's public keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from common.clients import ADDRESS
from common.errors import Forbidden, Unauthenticated
from common.tokens import Identity, Verifier
from gateway.rates import Rates

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SignedInHandler = Callable[[web.Request, Identity], Awaitable[web.StreamResponse]]


# Who asked, for the access log.
USER_ID = web.RequestKey("user_id", int)


# Marks the handlers behind a door: they count by person, all others by address.
BEHIND_DOOR = "behind_door"


def is_behind_door(handler: object) -> bool:
    """Whether this handler wants somebody signed in."""
    return hasattr(handler, BEHIND_DOOR)


class Door:
    """In front of every route that wants somebody signed in."""

    def __init__(self, verifier: Verifier, rates: Rates) -> None:
        self._verifier = verifier
        self._rates = rates

    def signed_in(self, handler: SignedInHandler) -> Handler:
        """A handler that is also told who asks; nobody gets past without a good token."""

        async def checked(request: web.Request) -> web.StreamResponse:
            try:
                identity = await self.identify(request)
            except Unauthenticated:
                await self._rates.address(request, request[ADDRESS])
                raise
            request[USER_ID] = identity.user_id
            await self._rates.person(request, identity.user_id)
            return await handler(request, identity)

        setattr(checked, BEHIND_DOOR, True)
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
