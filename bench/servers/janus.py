"""Janus from Debian, with its VideoRoom plugin, audio only, by its websocket API.

It runs as it is installed, but for ICE-lite, which all servers here do that can, and for its ports. In the
VideoRoom who speaks has one connection and who hears another, on which the server offers.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from bench.forward.peer import Peer
from bench.servers import server
from bench.servers.server import Participant
from dev.ports import free_port

_PATIENCE_S = 20.0
_FILES = {
    "janus.jcfg": """
general: {{ configs_folder = "{folder}", debug_level = 2, session_timeout = 0, server_name = "bench" }}
nat: {{ ice_lite = true, ice_enforce_list = "{host}" }}
plugins: {{ disable = "{other_plugins}" }}
transports: {{ disable = "{other_transports}" }}
""",
    "janus.transport.websockets.jcfg": """
general: {{ json = "compact", ws = true, ws_port = {port}, ws_ip = "127.0.0.1", wss = false }}
""",
    "janus.plugin.videoroom.jcfg": "general: {{ string_ids = true }}\n",
}
_LIBRARIES = Path("/usr/lib")


class Api:
    """The websocket API: each request has a transaction, by which its answer and its event are known."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.session = 0
        self._up: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)

    async def read(self) -> None:
        async for message in self._socket:
            answer = message.json()
            waiting = self._waiting.get(answer.get("transaction", ""))
            if answer["janus"] == "webrtcup":
                self._up[answer["sender"]].set()
            # A plugin's word comes as an event after an ack.
            if waiting is not None and not waiting.done() and answer["janus"] != "ack":
                waiting.set_result(answer)

    async def ask(self, kind: str, handle: int = 0, **more: object) -> dict[str, Any]:
        transaction = secrets.token_hex(6)
        waiting = self._waiting[transaction] = asyncio.get_running_loop().create_future()
        try:
            frame: dict[str, object] = {"janus": kind, "transaction": transaction, **more}
            if self.session:
                frame["session_id"] = self.session
            if handle:
                frame["handle_id"] = handle
            await self._socket.send_json(frame)
            async with asyncio.timeout(_PATIENCE_S):
                answer: dict[str, Any] = await waiting
        finally:
            del self._waiting[transaction]
        if answer["janus"] == "error" or "error" in answer.get("plugindata", {}).get("data", {}):
            raise RuntimeError(f"Janus refuses {kind} {more.get('body', '')}: {answer}")
        return answer

    async def plugin(self, handle: int, request: str, jsep: object = None, **body: object) -> dict[str, Any]:
        more = {} if jsep is None else {"jsep": jsep}
        return await self.ask("message", handle, body={"request": request, **body}, **more)

    async def until_up(self, handle: int) -> None:
        """Until Janus has a connection's keys, and others may ask for what it sends."""
        async with asyncio.timeout(_PATIENCE_S):
            await self._up[handle].wait()

    async def attach(self) -> int:
        answer = await self.ask("attach", plugin="janus.plugin.videoroom")
        return int(answer["data"]["id"])


@dataclass
class Room:
    speakers: list[str] = field(default_factory=list)
    #: Who is to hear, by name; whom it is connected to is asked for by `settle`.
    listeners: dict[str, Participant] = field(default_factory=dict)
    handles: dict[str, int] = field(default_factory=dict)


class Rooms:
    """The rooms of a Janus that runs."""

    def __init__(self, pid: int, host: str, api: Api) -> None:
        self.pid, self._host, self._api = pid, host, api
        self._rooms: defaultdict[str, Room] = defaultdict(Room)

    async def enter(self, room: str, user: str, *, speaks: bool, hears: int) -> Participant:
        if room not in self._rooms:
            await self._create(room)
        participant = Participant()
        if speaks:
            participant.mouth = await self._publish(room, user)
            self._rooms[room].speakers.append(user)
        if hears:
            self._rooms[room].listeners[user] = participant
        return participant

    async def settle(self) -> None:
        for name, room in self._rooms.items():
            for user, participant in room.listeners.items():
                if participant.ears is None:
                    feeds = [speaker for speaker in room.speakers if speaker != user]
                    participant.ears = await self._subscribe(name, user, feeds)

    async def leave(self, room: str, user: str) -> None:
        await self._api.ask("detach", self._rooms[room].handles.pop(user))
        del self._rooms[room].listeners[user]

    async def _create(self, room: str) -> None:
        handle = await self._api.attach()
        settings = {"publishers": 500, "audiocodec": "opus", "audiolevel_ext": True}
        await self._api.plugin(handle, "create", room=room, **settings)

    async def _publish(self, room: str, user: str) -> Peer:
        handle = await self._api.attach()
        await self._api.plugin(handle, "join", room=room, ptype="publisher", id=user)
        peer = Peer(0, self._host)
        offer = {"type": "offer", "sdp": peer.offer()}
        answer = await self._api.plugin(handle, "publish", offer)
        await peer.connect(answer["jsep"]["sdp"])
        await self._api.until_up(handle)
        return peer

    async def _subscribe(self, room: str, user: str, feeds: list[str]) -> Peer:
        handle = self._rooms[room].handles[user] = await self._api.attach()
        streams = [{"feed": feed} for feed in feeds]
        offer = await self._api.plugin(handle, "join", room=room, ptype="subscriber", streams=streams)
        peer = Peer(len(feeds), self._host)
        sdp = offer["jsep"]["sdp"]
        await self._api.plugin(handle, "start", {"type": "answer", "sdp": peer.answer(sdp)})
        await peer.connect(sdp)
        return peer


class Janus:
    name = "janus"

    def prepare(self) -> str | None:
        return server.found("janus")

    def version(self) -> str:
        return "Janus " + server.said("janus", "--version").partition("(")[2].partition(")")[0]

    @asynccontextmanager
    async def running(self, host: str) -> AsyncIterator[Rooms]:
        port = free_port()
        with TemporaryDirectory() as folder:
            _configure(Path(folder), host, port)
            with server.process(["janus", "-F", folder], port) as pid:
                async with _connected(port) as api:
                    yield Rooms(pid, host, api)


def _configure(folder: Path, host: str, port: int) -> None:
    known = {
        "folder": folder,
        "host": host,
        "port": port,
        "other_plugins": _others("plugins", "videoroom"),
        "other_transports": _others("transports", "websockets"),
    }
    for name, text in _FILES.items():
        (folder / name).write_text(text.format(**known))


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[Api]:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"ws://127.0.0.1:{port}", protocols=["janus-protocol"]) as socket,
    ):
        api = Api(socket)
        reading = asyncio.create_task(api.read())
        try:
            api.session = int((await api.ask("create"))["data"]["id"])
            yield api
        finally:
            reading.cancel()


def _others(kind: str, wanted: str) -> str:
    """All of Janus's libraries of this kind but the one that is wanted."""
    names = {path.name for path in _LIBRARIES.glob(f"*/janus/{kind}/libjanus_*.so")}
    return ",".join(sorted(names - {f"libjanus_{wanted}.so"}))
