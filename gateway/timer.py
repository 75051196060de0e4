"""The route of a room's study timer: parse, one call, JSON."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from common import rpc
from common.tokens import Identity
from gateway import bodies
from gateway.answers import json_answer
from gateway.rooms import room_id
from proto import rooms_pb2, rooms_pb2_grpc


class Timer:
    def __init__(self, rooms: rpc.Client) -> None:
        self._rooms = rooms
        self._stub = rooms_pb2_grpc.RoomsStub(rooms.channel)

    async def get(self, request: web.Request, identity: Identity) -> web.Response:
        message = rooms_pb2.GetTimerRequest(room_id=room_id(request))
        return json_answer(
            _timer(await self._rooms.call(self._stub.GetTimer, message, user_token=identity.token))
        )

    async def set(self, request: web.Request, identity: Identity) -> web.Response:
        room = room_id(request)
        body = await bodies.read(request)
        message = rooms_pb2.SetTimerRequest(
            room_id=room,
            action=body.text("action"),
            focus_s=body.optional_integer("focus_s"),
            break_s=body.optional_integer("break_s"),
        )
        body.check()
        return json_answer(
            _timer(await self._rooms.call(self._stub.SetTimer, message, user_token=identity.token))
        )


def _timer(timer: rooms_pb2.Timer) -> dict[str, Any]:
    return {
        "state": timer.state,
        "focus_s": timer.focus_s,
        "break_s": timer.break_s,
        "started_at_ms": timer.started_at_ms,
        "elapsed_ms": timer.elapsed_ms,
        "phase": timer.phase or None,
        "remaining_ms": timer.remaining_ms,
        "round": timer.round,
        "set_by": timer.set_by or None,
    }
