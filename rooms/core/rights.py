"""Who may do what in a room: owner over moderator over member over listener. Pure rules.

Each raises Forbidden with a code of its own, or says nothing.
"""

from __future__ import annotations

from collections.abc import Collection

from common.errors import Forbidden

RANKS = ("listener", "member", "moderator", "owner")
OWNER, MODERATOR, LISTENER = "owner", "moderator", "listener"

# The settings that a moderator may change; the others are the owner's.
MODERATED_SETTINGS = frozenset({"topic", "locked", "slow_mode_s", "listen_only"})


def moderates(role: str) -> bool:
    return role in (OWNER, MODERATOR)


def may_speak(role: str, listen_only: bool) -> bool:
    """Whether neither the role nor the room keeps somebody from speaking."""
    return moderates(role) if listen_only else role != LISTENER


def check_member(role: str) -> None:
    """`role` is "" for who is no member."""
    if not role:
        raise Forbidden("Join the room first.", code="NOT_A_MEMBER")


def check_moderator(role: str) -> None:
    check_member(role)
    if not moderates(role):
        raise Forbidden("Only the owner and moderators may do that.", code="MODERATORS_ONLY")


def check_owner(role: str) -> None:
    check_member(role)
    if role != OWNER:
        raise Forbidden("Only the owner of the room may do that.", code="OWNER_ONLY")


def check_settings(role: str, changed: Collection[str]) -> None:
    """`changed`: the names of the settings."""
    check_moderator(role)
    if (reserved := sorted(set(changed) - MODERATED_SETTINGS)) and role != OWNER:
        raise Forbidden("Only the owner may change: " + ", ".join(reserved) + ".", code="OWNER_ONLY")


def check_ruling(role: str, whose: str, *, oneself: bool, to_role: str | None) -> None:
    """Of somebody with `role` upon somebody with the role `whose`, who may be given `to_role`."""
    check_moderator(role)
    if oneself:
        raise Forbidden("Nobody moderates themselves.", code="NOT_ON_YOURSELF")
    if role != OWNER and (moderates(whose) or to_role == MODERATOR):
        raise Forbidden("Only the owner may do that to or for a moderator.", code="OWNER_ONLY")


def check_timer(role: str) -> None:
    """Everybody but listeners sets the timer."""
    check_member(role)
    if role == LISTENER:
        raise Forbidden("Listeners may not set the timer.", code="LISTENERS_MAY_NOT")
