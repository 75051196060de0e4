"""Fixtures of the gateway's tests: a real gateway, a real auth, and rooms that say what they are told."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.auth.fixtures import auth, auth_database, keys_dir, migrated_database
from tests.auth.running import Caller
from tests.gateway.running import Api, RecordedRooms, running_gateway, running_rooms

__all__ = ["auth", "auth_database", "keys_dir", "migrated_database"]


@pytest.fixture
def web_dir(tmp_path: Path) -> Path:
    """A page of two files."""
    (tmp_path / "index.html").write_text("<!doctype html><script type=module src=/static/app.js></script>")
    (tmp_path / "app.js").write_text("export {}\n")
    return tmp_path


@pytest.fixture
async def rooms() -> AsyncIterator[RecordedRooms]:
    async with running_rooms() as service:
        yield service


@pytest.fixture
async def api(auth: Caller, rooms: RecordedRooms, web_dir: Path) -> AsyncIterator[Api]:
    """A client of the gateway."""
    async with (
        running_gateway(auth=auth.address, rooms=rooms.address, web_dir=str(web_dir)) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield Api(session, port)
