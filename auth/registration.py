"""Who may register: anybody, whoever has an invite, or nobody."""

from __future__ import annotations

import enum
import hashlib
import secrets
from typing import Protocol

from common.errors import Forbidden

INVITE_BYTES = 16


class Registration(enum.Enum):
    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


class Invites(Protocol):
    async def invite_holds(self, invite: bytes) -> bool: ...


async def admit(registration: Registration, invite: str, invites: Invites) -> bytes | None:
    """The invite to use up, None where none is needed.

    Raises Forbidden: REGISTRATION_CLOSED, INVITE_NEEDED, INVITE_INVALID.
    """
    if registration is Registration.CLOSED:
        raise Forbidden("Nobody can register here.", code="REGISTRATION_CLOSED")
    if registration is Registration.OPEN:
        return None
    if not invite.strip():
        raise Forbidden("An invite is needed to register here.", code="INVITE_NEEDED")
    hashed = invite_hash(invite)
    # Looked at before the password is hashed; used up with the account, in one transaction.
    if not await invites.invite_holds(hashed):
        raise invite_invalid()
    return hashed


def new_invite() -> str:
    """A code of 128 random bits."""
    return secrets.token_urlsafe(INVITE_BYTES)


def invite_hash(invite: str) -> bytes:
    return hashlib.sha256(invite.strip().encode("utf-8", "surrogatepass")).digest()


def invite_invalid() -> Forbidden:
    return Forbidden("This invite does not hold (any more). Ask for another one.", code="INVITE_INVALID")
