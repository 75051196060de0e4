"""Access tokens, verified: RS256 alone, with auth's public keys and without asking anybody.

A token is a JWT (RFC 7519) of type `at+jwt` (RFC 9068) with iss, aud, sub, sid,
jti, iat, nbf, exp, and `name`, the display name at the time it was made.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import jwt

from common import log
from common.errors import CwrkError, Unauthenticated, Unavailable

ISSUER = "cwrkplanet"
AUDIENCE = "cwrkplanet"
TOKEN_TYPE = "at+jwt"  # noqa: S105  # a media type
ALGORITHM = "RS256"
REQUIRED_CLAIMS = ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"]

# An unknown key id is a reason to fetch the keys again, but not for each stranger's token.
REFETCH_SECONDS = 30.0
# Clocks of our own machines may differ by this much.
LEEWAY_SECONDS = 5

logger = log.get("tokens")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a verified token speaks for."""

    user_id: int
    session_id: str
    display_name: str
    expires_at: float  # unix seconds
    token: str = field(repr=False)


class Verifier:
    """Verifies access tokens with a key set that it fetches when it needs it.

    `fetch` returns a JSON Web Key Set (RFC 7517) as text. It is called for the
    first token, and again at most every 30 s when a token names an unknown key;
    when it fails, the last good keys stay.
    """

    def __init__(
        self, fetch: Callable[[], Awaitable[str]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = -REFETCH_SECONDS
        self._fetching = asyncio.Lock()

    async def verify(self, token: str) -> Identity:
        """The identity that `token` proves.

        Raises Unauthenticated (codes TOKEN_INVALID, TOKEN_EXPIRED), and
        Unavailable as long as no key set could be had.
        """
        kid = _key_id(token)
        key = self._keys.get(kid) or await self._refetch(kid)
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
                expires_at=float(claims["exp"]),
                token=token,
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("The access token has expired; refresh it.", code="TOKEN_EXPIRED") from None
        except (jwt.InvalidTokenError, ValueError):
            raise invalid() from None

    async def _refetch(self, kid: str) -> jwt.PyJWK:
        async with self._fetching:
            if kid in self._keys:  # another token's fetch brought it
                return self._keys[kid]
            if self._keys and self._clock() - self._fetched_at < REFETCH_SECONDS:
                raise invalid()
            try:
                keys = json.loads(await self._fetch())["keys"]
            except CwrkError as error:
                logger.warning("no key set", code=error.code)
                if not self._keys:
                    raise Unavailable(
                        "Accounts are not reachable just now. Try again in a moment.",
                        code="AUTH_UNAVAILABLE",
                        retry_after=1.0,
                    ) from error
                raise invalid() from None
            finally:
                self._fetched_at = self._clock()
            self._keys = {key["kid"]: jwt.PyJWK(key, algorithm=ALGORITHM) for key in keys}
        if kid not in self._keys:
            raise invalid()
        return self._keys[kid]


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
