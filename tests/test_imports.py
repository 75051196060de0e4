"""The architecture, as imports show it: what a service may know of the others, who may touch aiortc."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVICES = ("auth", "gateway", "media", "rooms")

# aiortc's private names are used in one file; the doctor is a client, and borrows aioice's STUN and TURN.
MAY_IMPORT = {"aiortc": {"media/transport.py"}, "aioice": {"doctor/voice.py"}}


def sources(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def imported_modules(path: Path) -> set[str]:
    """The modules that the file at `path` imports, anywhere in it; `from a import b` counts as both."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imported(path: Path) -> set[str]:
    """The top-level packages that the file at `path` imports, anywhere in it."""
    return {name.partition(".")[0] for name in imported_modules(path)}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imports_no_other_service(service: str) -> None:
    others = set(SERVICES) - {service} | {"dev", "tests", "bench"}
    found = {str(path.relative_to(ROOT)): imported(path) & others for path in sources(service)}
    assert found, f"{service} has no sources"
    assert {path: names for path, names in found.items() if names} == {}


def test_what_is_shared_imports_no_service() -> None:
    found = {str(path.relative_to(ROOT)): imported(path) & set(SERVICES) for path in sources("common")}
    assert {path: names for path, names in found.items() if names} == {}


def test_the_pure_core_of_rooms_knows_no_socket_no_clock_and_no_database() -> None:
    allowed = ("common.errors", "rooms.core", "rooms.frames")
    impure = {"aiohttp", "asyncio", "asyncpg", "grpc", "os", "redis", "socket", "threading", "time"}
    for path in sources("rooms/core"):
        modules = imported_modules(path)
        ours = {name for name in modules if name.partition(".")[0] in ("common", "proto", "rooms")}
        assert {name for name in ours if not name.startswith(allowed)} == set(), path
        assert {name.partition(".")[0] for name in modules} & impure == set(), path


def test_the_client_is_whole_without_the_server() -> None:
    allowed = {"client", "aiohttp", *sys.stdlib_module_names}
    for path in sources("client"):
        of_voice = {"aiortc", "av"} if path.name in ("voice.py", "room.py") else set()
        assert imported(path) - allowed - of_voice == set(), path


@pytest.mark.parametrize("library", MAY_IMPORT)
def test_the_webrtc_library_stays_behind_its_door(library: str) -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in sources("common", "doctor", *SERVICES)
        if library in imported(path)
    }
    assert users <= MAY_IMPORT[library]
    assert users, f"nothing uses {library}: drop it from the dependencies"
