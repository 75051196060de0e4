"""The websocket's port, spoken to in something else: a problem for the sender, and no token in the log."""

import asyncio

import pytest

from common import unreadable
from tests.rooms import kit

SECRET = "eyJhbGciOiJSUzI1NiJ9"


async def raw(rooms: kit.Rooms, request: bytes) -> bytes:
    """Bytes on a connection of their own; what came back until it closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", rooms.ports.websocket)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), kit.PATIENCE)
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("separator", ["\x01", " "])
async def test_a_broken_address_with_a_token_is_neither_logged_nor_sent_back(
    rooms: kit.Rooms,
    separator: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    lines: list[dict[str, object]] = []
    monkeypatch.setattr(unreadable.logger, "info", lambda event, **fields: lines.append(fields))
    answer = await raw(
        rooms, f"GET /ws/rooms/x?access_token={SECRET}{separator}x HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    )
    assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    assert b"application/problem+json" in answer
    assert len(lines) == 1
    assert SECRET not in answer.decode() + repr(lines) + caplog.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("POST", "/healthz", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/ws/rooms/x", 400, "NOT_A_WEBSOCKET"),
    ],
)
async def test_what_is_no_websocket_is_a_problem(
    rooms: kit.Rooms, method: str, path: str, status: int, code: str
) -> None:
    url = f"http://127.0.0.1:{rooms.ports.websocket}{path}"
    async with rooms.http.request(method, url) as answer:
        problem = await answer.json(content_type="application/problem+json")
        assert (answer.status, problem["code"]) == (status, code)
        assert problem["request_id"] == answer.headers["X-Request-ID"]
        assert "aiohttp" not in answer.headers["Server"]
