"""Access tokens, verified: RS256 alone, with auth's public keys and without asking anybody.

A token is a JWT (RFC 7519) of type `at+jwt` (RFC 9068) with iss, aud, sub, sid,
jti, iat, nbf, exp, and `name`, the display name at the time it was made.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import jwt

from common import log
from common.errors import CwrkError, Unauthenticated, Unavailable

ISSUER = "cwrkplanet"
AUDIENCE = "cwrkplanet"
TOKEN_TYPE = "at+jwt"  # noqa: S105  # a media type
ALGORITHM = "RS256"
# From being made to expiring.
LIFETIME_SECONDS = 15 * 60
REQUIRED_CLAIMS = ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"]

# An unknown key id is a reason to fetch the keys again, but not for each stranger's token. auth shows a new
# key for twice as long before it signs with it.
REFETCH_SECONDS = 30.0
# After a failure: whoever could not ask has not asked.
RETRY_SECONDS = 1.0
# Without a reason they are fetched again this often: a key that auth has retired is forgotten here too.
STALE_AFTER = 10  # times REFETCH_SECONDS
# Clocks of our own machines may differ by this much.
LEEWAY_SECONDS = 5

# Verified tokens that are remembered, some 2 KiB each.
KNOWN_MAX = 4096

logger = log.get("tokens")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a verified token speaks for."""

    user_id: int
    session_id: str
    display_name: str
    expires_at: float  # unix seconds
    token: str = field(repr=False)
    issued_at: float = 0.0


class Revoked(Protocol):
    """What has ended before its tokens did: common/revocations.py."""

    def ended(self, identity: Identity) -> bool: ...
    async def settle(self) -> None: ...


class Verifier:
    """Verifies access tokens with a key set that it fetches when it needs it.

    `fetch` returns a JSON Web Key Set (RFC 7517) as text. It is called for the
    first token, again at most every `refetch` seconds when a token names an unknown
    key, and in the background when the keys are old. When it fails, the last good
    keys stay. Tokens of a session in `revoked` are refused.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[str]],
        revoked: Revoked | None = None,
        *,
        refetch: float = REFETCH_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._revoked = revoked
        self._refetch_seconds = refetch
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetch_from = float("-inf")
        self._stale_at = float("inf")
        self._fetching = asyncio.Lock()
        self._renewing: asyncio.Task[None] | None = None
        # What these keys have verified; a page shows its token with each request for minutes.
        self._known: dict[str, Identity] = {}

    async def verify(self, token: str) -> Identity:
        """The identity that `token` proves.

        Raises Unauthenticated (codes TOKEN_INVALID, TOKEN_EXPIRED, SESSION_ENDED),
        and Unavailable as long as no key set could be had.
        """
        if self._clock() >= self._stale_at:
            self._renew()
        identity = self._known.get(token)
        if identity is None or identity.expires_at + LEEWAY_SECONDS <= time.time():
            kid = _key_id(token)
            identity = _identity(token, self._keys.get(kid) or await self._find(kid))
            self._known[token] = identity
            if len(self._known) > KNOWN_MAX:  # the one that was verified longest ago
                self._known.pop(next(iter(self._known)))
        await self.check(identity)
        return identity

    async def check(self, identity: Identity) -> None:
        """Raises Unauthenticated (SESSION_ENDED) where the session of a good token has ended."""
        if self._revoked is not None:
            await self._revoked.settle()
            if self._revoked.ended(identity):
                raise ended()

    async def _find(self, kid: str) -> jwt.PyJWK:
        async with self._fetching:
            if kid in self._keys:  # another token's fetch brought it
                return self._keys[kid]
            if self._keys and self._clock() < self._fetch_from:
                raise invalid()
            try:
                await self._fetch_keys()
            except CwrkError as error:
                if not self._keys:
                    raise Unavailable(
                        "Accounts are not reachable just now. Try again in a moment.",
                        code="AUTH_UNAVAILABLE",
                        retry_after=1.0,
                    ) from error
                raise invalid() from None
        if kid not in self._keys:
            raise invalid()
        return self._keys[kid]

    def _renew(self) -> None:
        """Nobody waits for this: the keys that are here are good."""
        self._stale_at = self._clock() + self._refetch_seconds
        self._renewing = asyncio.create_task(self._renew_keys())

    async def _renew_keys(self) -> None:
        async with self._fetching:
            with contextlib.suppress(CwrkError):
                await self._fetch_keys()

    async def _fetch_keys(self) -> None:
        try:
            keys = json.loads(await self._fetch())["keys"]
        except CwrkError as error:
            logger.warning("no key set", code=error.code)
            self._fetch_from = self._clock() + min(RETRY_SECONDS, self._refetch_seconds)
            raise
        self._fetch_from = self._clock() + self._refetch_seconds
        self._stale_at = self._clock() + STALE_AFTER * self._refetch_seconds
        self._keys = {key["kid"]: jwt.PyJWK(key, algorithm=ALGORITHM) for key in keys}
        self._known.clear()  # one of the keys may be gone


def _identity(token: str, key: jwt.PyJWK) -> Identity:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED_CLAIMS},
        )
        return Identity(
            user_id=int(claims["sub"]),
            session_id=str(claims["sid"]),
            display_name=str(claims.get("name", "")),
            issued_at=float(claims["iat"]),
            expires_at=float(claims["exp"]),
            token=token,
        )
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("The access token has expired; refresh it.", code="TOKEN_EXPIRED") from None
    except (jwt.InvalidTokenError, ValueError):
        raise invalid() from None


def ended() -> Unauthenticated:
    """The answer for a token whose session has ended."""
    return Unauthenticated("The session has ended; log in again.", code="SESSION_ENDED")


def invalid() -> Unauthenticated:
    """One answer for every token that does not hold: a guesser learns nothing from it."""
    return Unauthenticated("The access token does not hold; log in again.", code="TOKEN_INVALID")


def _key_id(token: str) -> str:
    """The `kid` of a header that we could have made; nothing in it is trusted beyond that."""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, UnicodeError):
        raise invalid() from None
    foreign = {"jku", "jwk", "x5u", "x5c", "crit"} & header.keys()
    kid = header.get("kid")
    if (
        foreign
        or header.get("typ") != TOKEN_TYPE
        or header.get("alg") != ALGORITHM
        or not isinstance(kid, str)
    ):
        raise invalid()
    return kid
