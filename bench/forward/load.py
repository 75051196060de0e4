"""The load: participants that all speak, paced evenly, in a process of its own."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import grpc

from bench.forward.client import Client, delay, stamped
from proto import media_pb2, media_pb2_grpc

PACKETS_PER_SECOND = 50
PAYLOAD = 120
VOICE = bytes(PAYLOAD)
#: How often every socket is emptied, seconds; one listener is looked at all the time, for the delay.
DRAIN = 0.005


@dataclass(frozen=True)
class Scenario:
    """`rooms` rooms of `people` each; everybody speaks all the time."""

    rooms: int
    people: int

    @property
    def name(self) -> str:
        return f"room of {self.people}" if self.rooms == 1 else f"{self.rooms} rooms of {self.people}"


@dataclass(frozen=True)
class Result:
    """`cpu_us` is CPU time of the whole worker process for a packet that reached a listener."""

    scenario: str
    cpu_us: float
    cpu_share: float
    forwarded: int
    lost: int
    rate: float
    delay_p50_ms: float
    delay_p99_ms: float
    sent_share: float
    loop: str = "auto"


async def connect(scenario: Scenario, grpc_address: str, token: str, *, prefix: str = "room") -> list[Client]:
    """All participants, joined and connected; their rooms are named by `prefix` and a number."""
    clients: list[Client] = []
    async with grpc.aio.insecure_channel(grpc_address) as channel:
        stub: media_pb2_grpc.MediaAsyncStub = media_pb2_grpc.MediaStub(channel)
        for room in range(scenario.rooms):
            for user in range(scenario.people):
                client = Client(slots=scenario.people - 1)
                clients.append(client)
                answer = await stub.Negotiate(
                    media_pb2.NegotiateRequest(
                        room_id=f"{prefix}{room}", user_id=f"user{user}", sdp=client.offer()
                    ),
                    metadata=[("cwrk-service", token)],
                    timeout=10,
                )
                await client.connect(answer.sdp)
    return clients


def run(scenario: Scenario, clients: list[Client], pid: int, seconds: float) -> Result:
    """Speaks for a second to warm up, and then for `seconds` that count."""
    speak(clients, 1.0, [])
    for client in clients:
        client.streams.clear()
        client.sent = 0
    delays: list[float] = []
    before, started = cpu_seconds(pid), time.monotonic()
    speak(clients, seconds, delays)
    used, took = cpu_seconds(pid) - before, time.monotonic() - started
    received = sum(stream.packets for client in clients for stream in client.streams.values())
    lost = sum(stream.lost for client in clients for stream in client.streams.values())
    delays.sort()
    return Result(
        scenario=scenario.name,
        cpu_us=used / received * 1e6,
        cpu_share=used / took,
        forwarded=received,
        lost=lost,
        rate=received / took,
        delay_p50_ms=delays[len(delays) // 2] * 1e3,
        delay_p99_ms=delays[len(delays) * 99 // 100] * 1e3,
        sent_share=sum(client.sent for client in clients) / (len(clients) * PACKETS_PER_SECOND * seconds),
    )


def speak(clients: list[Client], seconds: float, delays: list[float]) -> None:
    """Everybody speaks, each with a phase of its own, as clients that know nothing of each other do."""
    step = 1 / PACKETS_PER_SECOND
    start = time.monotonic() + 0.01
    order = sorted(((start + random.random() * step, client) for client in clients), key=lambda pair: pair[0])
    end, drain_at, probe = start + seconds, start, clients[0]
    turn = start
    while turn < end:
        for due, client in order:
            at = due - start + turn
            while (now := time.monotonic()) < at:
                probe.receive(lambda packet: delays.append(delay(packet)))
                if now >= drain_at:
                    drain_at = now + DRAIN
                    for each in clients[1:]:
                        each.receive()
                time.sleep(max(0.0, min(0.0005, at - time.monotonic())))
            client.send(stamped(PAYLOAD))
        turn += step
    time.sleep(0.1)
    probe.receive(lambda packet: delays.append(delay(packet)))
    for each in clients[1:]:
        each.receive()


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process and all its threads so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
