"""/healthz: this process lives. /readyz: it and the services behind it answer; and what fails beside that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import grpc
from aiohttp import web
from grpc_health.v1 import health_pb2, health_pb2_grpc

from common import rpc
from common.errors import CwrkError, FieldError, Unavailable
from gateway.answers import json_answer

DEADLINE_SECONDS = 1.0
SERVING = health_pb2.HealthCheckResponse.SERVING


# Parts of a service without which all goes on, only slower or for fewer: what is said where one fails.
PARTS = {
    ("rooms", "pubsub"): "Replicas of rooms hear of each other by PostgreSQL alone.",
    ("rooms", "media"): "A media worker is not heard.",
}


class Health:
    """`behind`: the services by name. `counting`: whether requests are counted in Redis, if at all."""

    def __init__(self, behind: dict[str, rpc.Client], counting: Callable[[], bool | None]) -> None:
        self._behind = behind
        self._counting = counting
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
        slower = await self._slower()
        return json_answer({"status": "ready", **({"degraded": slower} if slower else {})})

    async def _slower(self) -> list[dict[str, str]]:
        """What fails without anybody being refused for it."""
        asked = [(key, said) for key, said in PARTS.items() if key[0] in self._behind]
        failing = await asyncio.gather(*(_fails(self._behind[service], part) for (service, part), _ in asked))
        found = [
            {"field": f"{service}.{part}", "message": said}
            for ((service, part), said), fails in zip(asked, failing, strict=True)
            if fails
        ]
        if self._counting() is False:
            found.append({"field": "redis", "message": "Each gateway counts requests by itself."})
        return found


async def _why_not(client: rpc.Client) -> str | None:
    check = health_pb2_grpc.HealthStub(client.channel).Check
    try:
        answer = await client.call(check, health_pb2.HealthCheckRequest(), timeout=DEADLINE_SECONDS)
    except CwrkError as error:
        return error.message
    return None if answer.status == SERVING else "The service is stopping, or its database is away."


async def _fails(client: rpc.Client, part: str) -> bool:
    check = health_pb2_grpc.HealthStub(client.channel).Check
    try:
        answer = await check(health_pb2.HealthCheckRequest(service=part), timeout=DEADLINE_SECONDS)
    except grpc.aio.AioRpcError:  # the service itself was asked before; an older one does not know the part
        return False
    return bool(answer.status != SERVING)
