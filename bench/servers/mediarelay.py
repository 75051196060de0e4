"""`python -m bench.servers.mediarelay PORT HOST`: a forwarding server on aiortc's MediaRelay."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from dataclasses import dataclass, field

from aiohttp import web
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaRelay

from common.lifecycle import loop_factory


@dataclass
class Somebody:
    """Who is in a room; `voice` where they speak, `slots` that carry nobody yet."""

    connection: RTCPeerConnection
    voice: MediaStreamTrack | None
    slots: list[RTCRtpSender]


@dataclass
class Room:
    people: dict[str, Somebody] = field(default_factory=dict)
    relay: MediaRelay = field(default_factory=MediaRelay)

    def connect(self, speaker: Somebody, listener: Somebody) -> None:
        if speaker.voice is not None and listener.slots:
            listener.slots.pop(0).replaceTrack(self.relay.subscribe(speaker.voice))


class Rooms:
    def __init__(self) -> None:
        self._rooms: defaultdict[str, Room] = defaultdict(Room)

    async def enter(self, request: web.Request) -> web.Response:
        asked = await request.json()
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        await connection.setRemoteDescription(RTCSessionDescription(asked["sdp"], "offer"))
        voice, *slots = connection.getTransceivers()
        for slot in slots:
            slot.direction = "sendonly"
        await connection.setLocalDescription(await connection.createAnswer())
        newcomer = Somebody(
            connection, voice.receiver.track if asked["speaks"] else None, [slot.sender for slot in slots]
        )
        room = self._rooms[asked["room"]]
        for other in room.people.values():
            room.connect(other, newcomer)
            room.connect(newcomer, other)
        room.people[asked["user"]] = newcomer
        return web.json_response({"sdp": connection.localDescription.sdp})

    async def leave(self, request: web.Request) -> web.Response:
        asked = await request.json()
        await self._rooms[asked["room"]].people.pop(asked["user"]).connection.close()
        return web.Response()


def main() -> None:
    rooms = Rooms()
    app = web.Application()
    app.add_routes([web.post("/enter", rooms.enter), web.post("/leave", rooms.leave)])
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        print=None,
        loop=asyncio.Runner(loop_factory=loop_factory()).get_loop(),
    )


if __name__ == "__main__":
    main()
