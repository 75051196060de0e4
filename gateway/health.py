"""/healthz: this process lives. /readyz: it and the services behind it answer."""

from __future__ import annotations

import asyncio

from aiohttp import web
from grpc_health.v1 import health_pb2, health_pb2_grpc

from common import rpc
from common.errors import CwrkError, FieldError, Unavailable
from gateway.answers import json_answer

DEADLINE_SECONDS = 1.0


class Health:
    """`behind`: the services by name."""

    def __init__(self, behind: dict[str, rpc.Client]) -> None:
        self._behind = behind
        self.stopping = False

    async def alive(self, _request: web.Request) -> web.Response:
        return json_answer({"status": "alive"})

    async def ready(self, _request: web.Request) -> web.Response:
        """200, or 503 whose `errors` name each service that does not answer; 503 too while we stop."""
        if self.stopping:
            raise Unavailable("This gateway is stopping.", code="STOPPING", retry_after=1.0)
        answers = await asyncio.gather(*(_why_not(client) for client in self._behind.values()))
        wrong = tuple(
            FieldError(name, why) for name, why in zip(self._behind, answers, strict=True) if why is not None
        )
        if wrong:
            raise Unavailable(
                "Not ready: " + "; ".join(f"{error.field}: {error.message}" for error in wrong),
                code="NOT_READY",
                retry_after=1.0,
                errors=wrong,
            )
        return json_answer({"status": "ready"})


async def _why_not(client: rpc.Client) -> str | None:
    check = health_pb2_grpc.HealthStub(client.channel).Check
    try:
        answer = await client.call(check, health_pb2.HealthCheckRequest(), timeout=DEADLINE_SECONDS)
    except CwrkError as error:
        return error.message
    serving = health_pb2.HealthCheckResponse.SERVING
    return None if answer.status == serving else "The service is stopping, or its database is away."
