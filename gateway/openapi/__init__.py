"""The REST API as an OpenAPI 3.1 document, made from typed tables.

tests/gateway/test_openapi.py keeps it complete (every route is described, and no
other), tests/integration/test_openapi_is_true.py keeps it true.
"""

from __future__ import annotations

from gateway.openapi import accounts, entry, moderation, rooms
from gateway.openapi.parts import Json, answer, listed, operation, problem, text, thing
from gateway.openapi.schemas import HEADERS, SCHEMAS

SERVER = "Server"
READY = thing(
    {"status": {"const": "ready"}},
    degraded={
        "type": "array",
        "description": "Parts that fail without anybody being refused for it; absent where there are none",
        "items": thing({"field": text(), "message": text()}),
    },
)


def _server_paths() -> dict[str, Json]:
    alive = operation(
        SERVER, "alive", "This process lives", {200: answer("It does", _status("alive"))}, signed_in=False
    )
    ready = operation(
        SERVER,
        "ready",
        "The gateway and the services behind it can serve",
        {200: answer("They can", READY), 503: problem(503)},
        signed_in=False,
    )
    settings = operation(
        SERVER,
        "settings",
        "What the page has to know",
        {200: answer("Settings", thing({"ws_url": text("Where the websocket is", pattern="^wss?://")}))},
        signed_in=False,
    )
    itself = operation(
        SERVER,
        "openapi",
        "This document",
        {200: answer("OpenAPI 3.1", thing({"openapi": text(pattern=r"^3\.1\.")}))},
        signed_in=False,
    )
    frames = operation(
        SERVER,
        "asyncapi",
        "The websocket's frames",
        {200: answer("AsyncAPI 3.1", thing({"asyncapi": text(pattern=r"^3\.1\.")}))},
        signed_in=False,
    )
    findings = operation(
        SERVER,
        "findings",
        "What the doctor finds where the services run, for administrators",
        {200: answer("What it finds", listed("Finding"))},
    )
    paths = {"/healthz": alive, "/readyz": ready, "/config.json": settings, "/doctor/findings": findings}
    paths |= {"/openapi.json": itself, "/asyncapi.json": frames}
    return {path: {"get": each} for path, each in paths.items()}


def _status(word: str) -> Json:
    return thing({"status": {"const": word}})


def document() -> Json:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "cwrkPlanet",
            "version": "1",
            "description": "Self-hosted study rooms: accounts, rooms and history. "
            "Ignore members you do not know. The websocket is in /asyncapi.json and docs/protocol.md.",
        },
        "servers": [{"url": "/"}],
        "security": [{"accessToken": []}],
        "tags": [{"name": accounts.TAG}, {"name": rooms.TAG}, {"name": SERVER}],
        "paths": {
            **accounts.PATHS,
            **rooms.PATHS,
            **moderation.PATHS,
            **entry.PATHS,
            **_server_paths(),
        },
        "components": {
            "securitySchemes": {"accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": SCHEMAS,
            "headers": HEADERS,
        },
    }
