"""The route for administrators: what the doctor finds from where the services run."""

from __future__ import annotations

from aiohttp import web

from common import rpc
from common.errors import Forbidden
from common.tokens import Identity
from gateway.answers import json_answer
from proto import auth_pb2, auth_pb2_grpc, rooms_pb2, rooms_pb2_grpc

#: Where nothing answers, each way of the doctor's takes its seconds.
DEADLINE_SECONDS = 65.0


class Operator:
    def __init__(self, auth: rpc.Client, rooms: rpc.Client) -> None:
        self._auth, self._rooms = auth, rooms
        self._accounts = auth_pb2_grpc.AuthStub(auth.channel)
        self._stub = rooms_pb2_grpc.RoomsStub(rooms.channel)

    async def findings(self, _request: web.Request, identity: Identity) -> web.Response:
        """Addresses and settings stand in them: Forbidden (ADMINISTRATORS_ONLY) for everybody else."""
        user = await self._auth.call(self._accounts.Me, auth_pb2.MeRequest(), user_token=identity.token)
        if not user.administrator:
            raise Forbidden("This is for administrators.", code="ADMINISTRATORS_ONLY")
        found = await self._rooms.call(
            self._stub.Examine,
            rooms_pb2.ExamineRequest(),
            user_token=identity.token,
            timeout=DEADLINE_SECONDS,
        )
        return json_answer(
            {
                "items": [
                    {"about": each.about, "state": each.state, "said": each.said, "todo": each.todo or None}
                    for each in found.findings
                ]
            }
        )
