"""What an operator can set about the gateway."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from common.clients import Proxied
from common.config import address, choice, integer, page, setting, text
from common.config import port as port_number  # a field below is called port
from common.workers import processes
from gateway.cors import origins

# Strict because it goes into a Content-Security-Policy, where a blank or a semicolon would say more.
WS_URL = re.compile(r"wss?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]*)?")


def ws_url(raw: str) -> str:
    """`ws://host` or `wss://host`, with port and path if need be, without a slash at the end."""
    if not WS_URL.fullmatch(raw.strip()):
        raise ValueError("must look like wss://study.example.org")
    return raw.strip().rstrip("/")


def workers(raw: str) -> int:
    """As `processes`; where the kernel does not spread connections, which is not Linux, auto is one."""
    return 1 if raw.strip() == "auto" and sys.platform != "linux" else processes(raw)


@dataclass(frozen=True)
class Config(Proxied):
    host: str = setting(
        "GATEWAY_HOST", "The address the gateway listens on; 0.0.0.0 for every one.", "127.0.0.1", parse=text
    )
    port: int = setting("GATEWAY_PORT", "The port of the REST API and the page.", 8080, parse=port_number)
    auth: str = setting("AUTH_ADDR", "Where auth's gRPC is, host:port.", "127.0.0.1:50051", parse=address)
    rooms: str = setting("ROOMS_ADDR", "Where rooms' gRPC is, host:port.", "127.0.0.1:50052", parse=address)
    ws_url: str = setting(
        "ROOMS_WS_URL",
        "Where browsers find the websocket, if neither at ROOMS_WS_PORT of the page's own host nor, for a"
        " page that came over TLS, at its own address.",
        "",
        parse=ws_url,
    )
    ws_port: int = setting("ROOMS_WS_PORT", "The port of the websocket.", 8082, parse=port_number)
    public_url: str = setting(
        "PUBLIC_URL",
        "The page's address, for the links of invites; never taken from a request.",
        "http://localhost:8080",
        parse=page,
    )
    web_dir: str = setting(
        "GATEWAY_WEB_DIR",
        "The folder of the page.",
        str(Path(__file__).resolve().parent.parent / "web"),
        parse=text,
    )
    web_modules: str = setting(
        "GATEWAY_WEB_MODULES",
        "How the page's modules are sent: packed, those that belong together as one; or apart, as they are,"
        " for who looks into them in a browser.",
        "packed",
        parse=choice("packed", "apart"),
    )
    workers: int = setting(
        "GATEWAY_WORKERS", "In how many processes the gateway works; auto for one a core.", 1, parse=workers
    )
    is_worker: bool = setting(
        "GATEWAY_WORKER", "Set by the gateway itself, for its workers.", False, parse=lambda raw: raw == "1"
    )
    redis_url: str = setting(
        "REDIS_URL",
        "Redis or Valkey, where all gateways count requests together; without it each counts its own.",
        "",
        secret=True,
    )
    rate_person: int = setting(
        "RATE_PERSON",
        "Requests a minute of one person who is signed in; 0 for any.",
        600,
        parse=integer(0, 10**9),
    )
    rate_address: int = setting(
        "RATE_ADDRESS",
        "Requests a minute of one address without a good token, which a whole class may share; 0 for any.",
        6000,
        parse=integer(0, 10**9),
    )
    cors_origins: frozenset[str] = setting(
        "CORS_ORIGINS",
        "Pages elsewhere, as scheme://host:port, whose scripts may use the REST API.",
        frozenset(),
        parse=origins,
    )
    drain_ms: int = setting(
        "GATEWAY_DRAIN_MS",
        "How long a stopping gateway says so at /readyz before it takes no more connections.",
        500,
        parse=integer(0, 60_000),
    )
