"""Signing access tokens: JWTs (RFC 7519) of type at+jwt (RFC 9068), verified by common/tokens.py."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import jwt

from auth.keys import KeyRing
from common.tokens import ALGORITHM, AUDIENCE, ISSUER, TOKEN_TYPE

LIFETIME = timedelta(minutes=15)


class Signer:
    """Signs with the newest key of a ring."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def sign(self, *, user_id: int, session_id: UUID, display_name: str, now: datetime) -> str:
        """An access token that holds for `LIFETIME` from `now`."""
        issued = int(now.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "jti": str(uuid4()),
            "iat": issued,
            "nbf": issued,
            "exp": issued + int(LIFETIME.total_seconds()),
            "name": display_name,
        }
        key = self._ring.signing
        return jwt.encode(claims, key.private, ALGORITHM, headers={"typ": TOKEN_TYPE, "kid": key.kid})
