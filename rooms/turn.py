"""Credentials for TURN servers that last a while: coturn's shared secret (`use-auth-secret`), after
draft-uberti-behave-turn-rest.

The server knows the secret too, so nothing is told it: it takes a user name that has not expired yet, with
the password that belongs to it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any

from common.config import ConfigError
from rooms.config import Config


def ice_servers(config: Config, now: Callable[[], float]) -> Callable[[int], tuple[Mapping[str, Any], ...]]:
    """What a user is told at each connection. Raises ConfigError."""
    if bool(config.turn_urls) != bool(config.turn_secret):
        raise ConfigError("TURN_URLS and TURN_SECRET belong together: set both, or none.")

    def for_user(user_id: int) -> tuple[Mapping[str, Any], ...]:
        if not config.turn_urls:
            return config.ice_servers
        username, credential = credentials(config.turn_secret, user_id, int(now()) + config.turn_ttl_s)
        turn = {"urls": list(config.turn_urls), "username": username, "credential": credential}
        return (*config.ice_servers, turn)

    return for_user


def credentials(secret: str, user_id: int, expires: int) -> tuple[str, str]:
    """User name and password, good until `expires` (Unix seconds)."""
    username = f"{expires}:{user_id}"
    # SHA-1 because the scheme says so; as a key for HMAC it is not broken.
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()
