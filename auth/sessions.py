"""Sessions and their refresh tokens. Pure: the time is an argument, nothing is stored here.

A session is one login on one device. Its refresh token is derived from
(session, generation) under a secret, so the database holds nothing that could
be shown as one, and the current token can be told again. Using a token rotates
the session to the next generation:

    generation shown     answer
    the current one      ROTATED: the session moves on, with a new token
    the one before it    REPEATED, within 10 s of the rotation: the current token again.
                         A second tab, or an answer lost on the way, is no theft.
    any older one        REPLAYED: somebody kept a copy. The whole session ends, since
                         nobody knows which of the two is its owner (RFC 9700 section 4.14.2).
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

GRACE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a session was last used from, for the list its owner sees."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Session:
    """One login on one device."""

    id: UUID
    user_id: int
    generation: int
    rotated_at: datetime
    created_at: datetime
    last_used_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    origin: Origin

    def alive(self, now: datetime) -> bool:
        return self.revoked_at is None and now < min(self.idle_expires_at, self.expires_at)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts: unused (`idle`), and in all (`absolute`)."""

    idle: timedelta
    absolute: timedelta


class Verdict(enum.Enum):
    ROTATED = enum.auto()
    REPEATED = enum.auto()
    REPLAYED = enum.auto()
    ENDED = enum.auto()


def open_session(user_id: int, origin: Origin, now: datetime, limits: Limits) -> Session:
    return Session(
        id=uuid4(),
        user_id=user_id,
        generation=0,
        rotated_at=now,
        created_at=now,
        last_used_at=now,
        idle_expires_at=now + limits.idle,
        expires_at=now + limits.absolute,
        revoked_at=None,
        origin=origin,
    )


def use(
    session: Session, generation: int, origin: Origin, now: datetime, limits: Limits
) -> tuple[Session, Verdict]:
    """Show the token of `generation` from `origin`: what becomes of the session, and what to answer."""
    if not session.alive(now):
        return session, Verdict.ENDED
    # Ahead of what we know: the database came back from a backup. The token is ours all the same, and its
    # owner need not suffer.
    if generation >= session.generation:
        rotated = replace(
            session,
            generation=generation + 1,
            rotated_at=now,
            last_used_at=now,
            idle_expires_at=now + limits.idle,
            origin=origin,
        )
        return rotated, Verdict.ROTATED
    if generation == session.generation - 1 and now - session.rotated_at <= GRACE:
        return session, Verdict.REPEATED
    return revoke(session, now), Verdict.REPLAYED


def revoke(session: Session, now: datetime) -> Session:
    return session if session.revoked_at else replace(session, revoked_at=now)


class RefreshTokens:
    """Derives refresh tokens, and knows its own again without asking the database.

    `cwrkr_` and base64url of session id (16 bytes), generation (4) and their
    HMAC-SHA256 (32). The prefix lets a secret scanner find one that leaked.
    """

    PREFIX = "cwrkr_"
    DOMAIN = b"cwrkplanet refresh token 1\0"

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, session: Session) -> str:
        """The current refresh token of a session."""
        named = session.id.bytes + session.generation.to_bytes(4)
        return self.PREFIX + base64.urlsafe_b64encode(named + self._mac(named)).rstrip(b"=").decode()

    def read(self, token: str) -> tuple[UUID, int] | None:
        """(session id, generation) of a token that we made; None for any other text."""
        prefix, body = token[: len(self.PREFIX)], token[len(self.PREFIX) :]
        if prefix != self.PREFIX:
            return None
        try:
            raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        named, mac = raw[:20], raw[20:]
        if len(named) != 20 or not hmac.compare_digest(mac, self._mac(named)):
            return None
        return UUID(bytes=named[:16]), int.from_bytes(named[16:])

    def _mac(self, named: bytes) -> bytes:
        return hmac.digest(self._secret, self.DOMAIN + named, hashlib.sha256)
