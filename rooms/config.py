"""The settings of the rooms service."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from common.clients import Proxied
from common.config import address, integer, port, setting, words
from common.workers import MOST

TURN_URL: Final = re.compile(
    r"turns?:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(\?transport=(udp|tcp))?"
)


def ice_servers(raw: str) -> tuple[dict[str, Any], ...]:
    """RTCConfiguration.iceServers as JSON: a list of objects, each with `urls`."""
    try:
        servers = json.loads(raw)
    except ValueError:
        raise ValueError("must be JSON") from None
    if not isinstance(servers, list) or not all(isinstance(s, dict) and "urls" in s for s in servers):
        raise ValueError('must be a list such as [{"urls": "stun:stun.example.org"}]')
    return tuple(servers)


def turn_urls(raw: str) -> tuple[str, ...]:
    """A comma-separated list of turn: and turns: URIs (RFC 7065)."""
    urls = words(raw)
    if not all(TURN_URL.fullmatch(url) for url in urls):
        raise ValueError(
            "must be turn:host, turn:host:port?transport=udp or turns:host:port, with commas between"
        )
    return urls


def _in_a_row(word: str) -> list[str]:
    """`host:port` with each port of `host:first-last`."""
    host, colon, ports = word.rpartition(":")
    first, dash, last = ports.partition("-")
    if not colon or not dash:
        return [address(word)]
    row = range(port(first), port(last) + 1)
    if not 0 < len(row) <= MOST:
        raise ValueError(f"must have 1 to {MOST} ports from the first to the last, as in media:50053-50056")
    return [address(f"{host}:{number}") for number in row]


def addresses(raw: str) -> tuple[str, ...]:
    """A comma-separated list of host:port or host:first-last, each once."""
    found = tuple(dict.fromkeys(each for word in words(raw) for each in _in_a_row(word)))
    if not found:
        raise ValueError("must not be empty")
    return found


@dataclass(frozen=True)
class Config(Proxied):
    """What `python -m rooms` reads from its environment."""

    listen: str = setting("ROOMS_LISTEN", "Where gRPC listens.", "127.0.0.1:50052", parse=address)
    ws_host: str = setting("ROOMS_WS_HOST", "The address on which the websocket listens.", "127.0.0.1")
    ws_port: int = setting("ROOMS_WS_PORT", "TCP port of the websocket.", 8082, parse=port)
    database_url: str = setting(
        "DATABASE_URL", "PostgreSQL, as postgresql://user:password@host:5432/name.", secret=True
    )
    database_connections: int = setting(
        "ROOMS_DATABASE_CONNECTIONS",
        "At most so many connections to PostgreSQL; half of them are for writing and reading the logs, one is"
        " for looking whether other replicas changed something.",
        16,
        parse=integer(3, 1000),
    )
    redis_url: str = setting(
        "REDIS_URL",
        "Redis or Valkey, which makes replicas hear of each other quickly; without it they ask PostgreSQL.",
        "",
        secret=True,
    )
    auth_addr: str = setting("AUTH_ADDR", "Where auth's gRPC is.", "127.0.0.1:50051", parse=address)
    media_addr: tuple[str, ...] = setting(
        "MEDIA_ADDR",
        "Where the gRPC of each media worker is, with commas between; host:first-last for several on ports in"
        " a row. Every replica of rooms must have the same addresses: they are the workers' names.",
        ("127.0.0.1:50053",),
        parse=addresses,
    )
    allowed_origins: tuple[str, ...] = setting(
        "ALLOWED_ORIGINS",
        "The pages, as scheme://host:port, that may open a websocket.",
        ("http://localhost:8080", "http://127.0.0.1:8080"),
        parse=words,
    )
    address_websockets: int = setting(
        "ROOMS_ADDRESS_WEBSOCKETS",
        "Websockets of one address (an IPv6 /64) at once, which a whole school may share; 0 for any.",
        2000,
        parse=integer(0, 10**9),
    )
    person_websockets: int = setting(
        "ROOMS_PERSON_WEBSOCKETS", "Websockets of one person at once; 0 for any.", 32, parse=integer(0, 10**9)
    )
    person_rooms: int = setting(
        "ROOMS_PERSON_ROOMS",
        "Rooms that one person may own at once; 0 for any.",
        500,
        parse=integer(0, 10**9),
    )
    ice_servers: tuple[dict[str, Any], ...] = setting(
        "ICE_SERVERS",
        "STUN and TURN servers for the browsers, as the JSON of RTCConfiguration.iceServers.",
        (),
        parse=ice_servers,
        secret=True,  # TURN credentials
    )
    turn_urls: tuple[str, ...] = setting(
        "TURN_URLS",
        "TURN servers for browsers that have no way of their own to media, as turn:host:port?transport=udp or"
        " turns:host:port, with commas between. They are told with credentials that last TURN_TTL_S.",
        (),
        parse=turn_urls,
    )
    turn_secret: str = setting(
        "TURN_SECRET",
        "The secret those servers share with us: coturn's static-auth-secret.",
        "",
        secret=True,
    )
    turn_ttl_s: int = setting(
        "TURN_TTL_S",
        "Seconds for which TURN credentials are good; each connection of a websocket gets new ones.",
        86_400,
        parse=integer(60, 30 * 86_400),
    )
    message_retention_days: int = setting(
        "MESSAGE_RETENTION_DAYS",
        "Messages older than this are deleted; 0 keeps all.",
        0,
        parse=integer(0, 36500),
    )
    drain_ms: int = setting(
        "ROOMS_DRAIN_MS",
        "Over how many milliseconds the clients of a stopping replica are sent elsewhere.",
        1000,
        parse=integer(0, 60_000),
    )
