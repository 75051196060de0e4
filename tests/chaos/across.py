"""How long a message takes from one replica to another: a measurement, not a test."""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import dataclass

import aiohttp

from tests.chaos.cluster import Cluster, Replica
from tests.rooms import kit

EVERY_SECONDS = 0.11  # not a part of any period of the replicas'


@dataclass(frozen=True)
class Latency:
    """Milliseconds from sending on one replica to receiving on another."""

    p50: float
    p99: float
    most: float

    def __str__(self) -> str:
        return f"p50 {self.p50:.0f} ms, p99 {self.p99:.0f} ms, at most {self.most:.0f} ms"


async def measure(cluster: Cluster, messages: int) -> Latency:
    """Two people in a room on two replicas, of whom one speaks."""
    loop = asyncio.get_running_loop()
    room_id = await cluster.make_room(1, 2)
    async with aiohttp.ClientSession() as http:
        ann, bob = [
            await _connect(http, cluster, replica, room_id, user_id)
            for user_id, replica in enumerate(cluster.replicas[:2], 1)
        ]
        sent: list[float] = []
        took: list[float] = []

        async def hear() -> None:
            while len(took) < messages:
                said = await bob.payload("chat")
                took.append(1000 * (loop.time() - sent[int(said["message"])]))

        hearing = asyncio.create_task(hear())
        for number in range(messages):
            sent.append(loop.time())
            await ann.send("chat", {"message": str(number)})
            await asyncio.sleep(EVERY_SECONDS)
        await hearing
        for socket in (ann, bob):
            await socket.ws.close()
    return Latency(statistics.median(took), statistics.quantiles(took, n=100)[98], max(took))


async def _connect(
    http: aiohttp.ClientSession, cluster: Cluster, replica: Replica, room_id: str, user_id: int
) -> kit.Socket:
    ws = await http.ws_connect(
        f"{replica.door.url}/ws/rooms/{room_id}", params={"access_token": cluster.token(user_id)}
    )
    socket = kit.Socket(ws)
    await socket.until("state")
    return socket
