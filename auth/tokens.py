"""Signing access tokens: JWTs (RFC 7519) of type at+jwt (RFC 9068), verified by common/tokens.py."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

import jwt

from auth.keys import SigningKey
from common.tokens import ALGORITHM, AUDIENCE, ISSUER, LIFETIME_SECONDS, TOKEN_TYPE

LIFETIME = timedelta(seconds=LIFETIME_SECONDS)


class Keys(Protocol):
    """A ring of keys, which may change while it is used."""

    @property
    def signing(self) -> SigningKey: ...


class Signer:
    """Signs with the key of a ring whose turn it is."""

    def __init__(self, ring: Keys) -> None:
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
