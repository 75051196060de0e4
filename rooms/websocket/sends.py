"""The effects that go to websockets: a frame to one, a frame to many, the end of one. And what is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rooms.core import effects as do
from rooms.frames.codec import encode
from rooms.frames.outgoing import Error, Resumed, ServerMessage
from rooms.websocket import wire
from rooms.websocket.connection import Connection, broadcast
from rooms.websocket.connections import Connections


@dataclass(slots=True)
class Traffic:
    """Since the start, in plain numbers: counting is part of what a delivery costs."""

    attached: int = 0  # websockets that came into their room
    refused: Counter[str] = field(default_factory=Counter)  # those that did not, by the error's code
    closed: Counter[int] = field(default_factory=Counter)  # by close code
    received: Counter[str] = field(default_factory=Counter)  # frames, by type
    sent: Counter[str] = field(default_factory=Counter)  # frames, by type; one to many counts once
    delivered: int = 0  # and here as often as it has receivers
    errors: Counter[str] = field(default_factory=lambda: Counter(INTERNAL=0))  # those of them, by code
    resumed: Counter[bool] = field(default_factory=Counter)  # replays, by whether all that was missed came


@dataclass(slots=True)
class Crowd:
    """Who these ids are: looked up once, as long as they are the same."""

    conn_ids: tuple[str, ...]
    connections: list[Connection]


NOBODY = Crowd((), [])


class Sends:
    """Bounded by the open rooms: who closes one says so."""

    def __init__(self, connections: Connections) -> None:
        self.traffic = Traffic()
        self._connections = connections
        self._crowds: dict[str, Crowd] = {}
        self.perform: dict[type, Callable[[str, Any], None]] = {
            do.Send: self._send,
            do.Broadcast: self._broadcast,
            do.Disconnect: self._disconnect,
        }

    def forget(self, room_id: str) -> None:
        """The room is closed here."""
        self._crowds.pop(room_id, None)

    def _send(self, room_id: str, effect: do.Send) -> None:
        if connection := self._connections.get(effect.conn_id):
            self.say(connection, effect.message, effect.ref_id, effect.seq)

    def say(
        self, connection: Connection, message: ServerMessage, ref_id: str | None, seq: int | None = None
    ) -> None:
        """One frame to one connection."""
        traffic = self.traffic
        traffic.sent[message.type] += 1
        traffic.delivered += 1
        if isinstance(message, Error):
            traffic.errors[message.code] += 1
        elif isinstance(message, Resumed):
            traffic.resumed[message.recovered] += 1
        connection.send(wire.text(encode(message, ref_id=ref_id, seq=seq)))

    def _broadcast(self, room_id: str, effect: do.Broadcast) -> None:
        crowd = self._crowds.get(room_id, NOBODY)
        if crowd.conn_ids is not effect.conn_ids:
            crowd = Crowd(effect.conn_ids, self._connections.these(effect.conn_ids))
            self._crowds[room_id] = crowd
        self.traffic.sent[effect.message.type] += 1
        self.traffic.delivered += len(crowd.connections)
        broadcast(crowd.connections, wire.text(encode(effect.message, seq=effect.seq)))

    def _disconnect(self, room_id: str, effect: do.Disconnect) -> None:
        if connection := self._connections.get(effect.conn_id):
            connection.close(effect.code, effect.reason)
