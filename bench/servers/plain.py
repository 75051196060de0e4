"""The smallest forwarding server on a WebRTC library, as somebody would write it who picks that library.

They speak alike: POST /enter with {room, user, speaks, sdp} answers {sdp}. Whoever speaks in a room has a
slot of each of the others, as long as those have one left. No mutes, no levels, no repeats but what the
library does.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import aiohttp

from bench.forward.peer import Peer
from bench.servers import server
from bench.servers.server import BUILT, Participant
from dev.ports import free_port

HERE = Path(__file__).parent
WERIFT = "werift@0.24"


class Rooms:
    """The rooms of such a server."""

    def __init__(self, pid: int, host: str, http: aiohttp.ClientSession, url: str) -> None:
        self.pid, self._host, self._http, self._url = pid, host, http, url

    async def enter(self, room: str, user: str, *, speaks: bool, hears: int) -> Participant:
        peer = Peer(hears, self._host)
        await peer.connect((await self._post("enter", room, user, speaks=speaks, sdp=peer.offer()))["sdp"])
        return Participant(peer if speaks else None, peer)

    async def settle(self) -> None:
        """Slots are filled as people come."""

    async def leave(self, room: str, user: str) -> None:
        await self._post("leave", room, user)

    async def _post(self, path: str, room: str, user: str, **more: object) -> dict[str, str]:
        body = {"room": room, "user": user, **more}
        async with self._http.post(f"{self._url}/{path}", json=body) as answer:
            text = await answer.text()
            if answer.status != 200:
                raise RuntimeError(f"/{path} answered {answer.status}: {text[:600]}")
            return dict(json.loads(text or "{}"))


@dataclass(frozen=True)
class Plain:
    """`command` is run with a port of loopback to take calls at and the address of the voices."""

    name: str
    command: Sequence[str]
    prepare: Callable[[], str | None]
    version: Callable[[], str]

    @asynccontextmanager
    async def running(self, host: str) -> AsyncIterator[Rooms]:
        port = free_port()
        env = {**os.environ, "NODE_PATH": str(BUILT / "node_modules"), "NODE_ENV": "production"}
        with server.process([*self.command, str(port), host], port, env) as pid:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as http:
                yield Rooms(pid, host, http, f"http://127.0.0.1:{port}")


# --- aiortc's MediaRelay: it decodes each voice and encodes it anew for each listener

MEDIARELAY = Plain(
    "mediarelay",
    [sys.executable, "-m", "bench.servers.mediarelay"],
    prepare=lambda: None,
    version=lambda: f"aiortc {version('aiortc')}, MediaRelay",
)


# --- werift, in TypeScript on Node.js


def _werift() -> str | None:
    lacking = server.found("node", "npm")
    if lacking or (BUILT / "node_modules" / "werift").is_dir():
        return lacking
    BUILT.mkdir(parents=True, exist_ok=True)
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(BUILT), WERIFT]
    return server.tried(install, "npm could not fetch werift")


def _werift_version() -> str:
    package = json.loads((BUILT / "node_modules" / "werift" / "package.json").read_text())
    return f"werift {package['version']} on Node.js {server.said('node', '--version')}"


WERIFT_SFU = Plain("werift", ["node", str(HERE / "werift_sfu.js")], _werift, _werift_version)


# --- Pion, in Go, from Debian's packages: no module is fetched

_PION = BUILT / "pion-sfu"
_GOCODE = "/usr/share/gocode"


def _pion() -> str | None:
    if lacking := server.found("go", "dpkg-query"):
        return lacking
    if not Path(_GOCODE, "src/github.com/pion/webrtc").is_dir():
        return "golang-github-pion-webrtc.v3-dev is not installed"
    source = HERE / "pion_sfu.go"
    if _PION.is_file() and _PION.stat().st_mtime >= source.stat().st_mtime:
        return None
    env = {"GO111MODULE": "off", "GOPATH": _GOCODE, "GOCACHE": str(BUILT / "go-cache"), "GOFLAGS": ""}
    build = ["env", *(f"{name}={value}" for name, value in env.items())]
    command = [*build, "go", "build", "-o", str(_PION), str(source)]
    return server.tried(command, "Pion's SFU was not compiled")


def _pion_version() -> str:
    package = server.said("dpkg-query", "-f", "${Version}", "-W", "golang-github-pion-webrtc.v3-dev")
    return f"Pion {package.partition('-')[0]}, {' '.join(server.said('go', 'version').split()[2:3])}"


PION = Plain("pion", [str(_PION)], _pion, _pion_version)
