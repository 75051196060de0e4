"""The measures: each starts its servers, loads them, and says what it saw."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench.chat.clients import MARK, ROOMS, SOCKET_IO, WS, Client, Crowd, Dialect
from bench.chat.servers import Process, Rooms, our_rooms, peer, peer_crowd

TEXT = MARK.decode() + "A chat message of some eighty characters, as people write them in a room at night."
CROWDS = (100, 1000)
BURSTS = (1, 4)  # messages in flight
_numbers = itertools.count(1)


# --- deliveries a CPU-second ----------------------------------------------------------------------------


async def fanout(seconds: float, repeat: int, modules: Path | None) -> list[dict[str, Any]]:
    """Ours beside the others, by turns."""
    dialects: tuple[Dialect, ...] = (ROOMS,) if modules is None else (ROOMS, WS, SOCKET_IO)
    rows: dict[tuple[int, int, str], list[dict[str, float]]] = {}
    frame_bytes = 0
    for _ in range(repeat):
        for clients in CROWDS:
            for dialect in dialects:
                async with everybody(dialect, clients, modules) as (process, crowd):
                    text, size = await of_same_size(crowd, dialect, frame_bytes)
                    frame_bytes = frame_bytes or size
                    for burst in BURSTS:
                        row = await broadcasts(process, crowd, text, burst, seconds)
                        rows.setdefault((clients, burst, dialect.name), []).append(row)
    print(f"\ndeliveries a CPU-second of the server ({frame_bytes} bytes each)")
    print("clients  in flight  server        median (lowest to highest)   /s on the clock   load's CPU")
    found = []
    for (clients, burst, name), runs in rows.items():
        figures = [run["per_cpu_second"] for run in runs]
        summary: dict[str, Any] = {
            "clients": clients,
            "in_flight": burst,
            "server": name,
            "per_cpu_second": round(statistics.median(figures)),
            "runs": [round(figure) for figure in figures],
            "per_second": round(statistics.median(run["per_second"] for run in runs)),
            "load_cpu": round(statistics.median(run["load_cpu"] for run in runs), 2),
            "beside_cpu": round(statistics.median(run["beside_cpu"] for run in runs), 2),
        }
        found.append(summary)
        spread = f"({min(figures):,.0f} to {max(figures):,.0f})"
        print(
            f"{clients:>7}{burst:>11}  {name:<12}{summary['per_cpu_second']:>9,} {spread:<22}"
            f"{summary['per_second']:>14,}{summary['load_cpu']:>13.0%}"
        )
    return found


@asynccontextmanager
async def everybody(
    dialect: Dialect, clients: int, modules: Path | None
) -> AsyncIterator[tuple[Process, Crowd]]:
    """A server with so many clients in one room. Of ours a room has 500 seats, so people have two sockets."""
    if dialect is ROOMS:
        sockets = -(-clients // 500)
        async with our_rooms(limits=False) as ours:
            yield ours.process, await ours.people(1, clients // sockets, sockets)
    else:
        assert modules is not None
        async with peer(dialect, modules) as process:
            yield process, await peer_crowd(process, clients)


async def of_same_size(crowd: Crowd, dialect: Dialect, frame_bytes: int) -> tuple[str, int]:
    """A text whose frame has `frame_bytes` as everybody gets it, and the size of the frame of TEXT."""
    heard = len(crowd.clients) - (dialect is not ROOMS)
    crowd.clients[0].say(next(_numbers), TEXT)
    await crowd.tally.reach(crowd.tally.marks + heard)
    size = crowd.clients[1].chat_bytes
    return TEXT + "." * max(0, frame_bytes - size), size


async def broadcasts(
    process: Process, crowd: Crowd, text: str, burst: int, seconds: float
) -> dict[str, float]:
    """`burst` messages, wait until everybody has all of them, and again. Each time others write."""
    heard = (len(crowd.clients) - (process.dialect is not ROOMS)) * burst
    turn = itertools.cycle(crowd.clients)
    for warm in (True, False):
        marks, cpu, beside = crowd.tally.marks, process.cpu, process.cpu_beside
        own, began = time.process_time(), time.perf_counter()
        until = began + (0.5 if warm else seconds)
        while time.perf_counter() < until:
            target = crowd.tally.marks + heard
            for _ in range(burst):
                next(turn).say(next(_numbers), text)
            await crowd.tally.reach(target)
    took, used = time.perf_counter() - began, process.cpu - cpu
    return {
        "per_cpu_second": (crowd.tally.marks - marks) / used,
        "per_second": (crowd.tally.marks - marks) / took,
        "load_cpu": (time.process_time() - own) / took,
        "beside_cpu": (process.cpu_beside - beside) / took,
    }


# --- how soon it is saved -------------------------------------------------------------------------------


async def acks(seconds: float) -> list[dict[str, Any]]:
    """500 messages a second, evenly: 50 rooms of 10, and one room of 125."""
    print("\nfrom a message to its ack, 500 a second, PostgreSQL with fsync")
    found = []
    for rooms, each in ((50, 10), (1, 125)):
        async with our_rooms() as ours:
            crowd = await ours.people(rooms, each)
            await steadily(crowd, 500, 1.0)
            row = {"rooms": rooms, "people_each": each, **await used_by(ours, crowd, 500, seconds)}
        found.append(row)
        print(
            f"{rooms:>4} rooms of {each:<4} p50 {row['p50_ms']:>6} ms  p99 {row['p99_ms']:>6} ms  "
            f"rooms' CPU {row['cpu']:.0%}, PostgreSQL's {row['beside_cpu']:.0%}, unacked {row['unacked']}"
        )
    return found


async def used_by(ours: Rooms, crowd: Crowd, rate: float, seconds: float) -> dict[str, Any]:
    crowd.latencies.clear()
    cpu, beside, began = ours.process.cpu, ours.process.cpu_beside, time.perf_counter()
    sent = await steadily(crowd, rate, seconds)
    took = time.perf_counter() - began
    return {
        **percentiles(crowd.latencies),
        "cpu": round((ours.process.cpu - cpu) / took, 3),
        "beside_cpu": round((ours.process.cpu_beside - beside) / took, 3),
        "unacked": sent - len(crowd.latencies),
    }


async def steadily(crowd: Crowd, rate: float, seconds: float) -> int:
    """Each in turn says something, `rate` a second in all, whether or not the last is acked; how many.

    The time to the ack counts from when it was due, not from when we got to send it.
    """
    began = time.perf_counter()
    count = int(rate * seconds)
    sent = 0
    while sent < count:
        now = time.perf_counter()
        while sent < count and began + sent / rate <= now:
            crowd.clients[sent % len(crowd.clients)].say(next(_numbers), TEXT, began + sent / rate)
            sent += 1
        await asyncio.sleep(0.001)
    give_up = time.perf_counter() + 10
    while any(client.waiting for client in crowd.clients) and time.perf_counter() < give_up:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return sent


def percentiles(latencies: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(latencies, n=100, method="inclusive")
    return {"p50_ms": round(cuts[49] * 1000, 2), "p99_ms": round(cuts[98] * 1000, 2)}


# --- how many can be saved ------------------------------------------------------------------------------


async def commits(seconds: float) -> list[dict[str, Any]]:
    """As fast as it goes: each sender's next message follows the ack of the last."""
    print("\nmessages a second that are saved and acked, PostgreSQL with fsync")
    found = []
    for rooms, senders, in_flight in ((1, 10, 10), (100, 2, 1)):
        async with our_rooms(limits=False) as ours:
            crowd = await ours.people(rooms, senders)
            await as_fast_as_it_goes(crowd, in_flight, 1.0)
            cpu, beside, began = ours.process.cpu, ours.process.cpu_beside, time.perf_counter()
            acked = await as_fast_as_it_goes(crowd, in_flight, seconds)
            took = time.perf_counter() - began
            row = {
                "rooms": rooms,
                "senders_each": senders,
                "in_flight_each": in_flight,
                "per_second": round(acked / took),
                "cpu": round((ours.process.cpu - cpu) / took, 3),
                "beside_cpu": round((ours.process.cpu_beside - beside) / took, 3),
                "lost": crowd.lost,
            }
        found.append(row)
        print(
            f"{rooms:>4} rooms, {senders} senders each with {in_flight} in flight: {row['per_second']:,}/s,"
            f" rooms' CPU {row['cpu']:.0%}, PostgreSQL's {row['beside_cpu']:.0%}"
        )
    return found


async def as_fast_as_it_goes(crowd: Crowd, in_flight: int, seconds: float) -> int:
    """How many were acked."""
    acked = 0
    until = time.perf_counter() + seconds
    idle = asyncio.Event()

    def again(client: Client) -> None:
        nonlocal acked
        acked += 1
        now = time.perf_counter()
        if now < until:
            client.say(next(_numbers), TEXT, now)
        elif not any(each.waiting for each in crowd.clients):
            idle.set()

    for client in crowd.clients:
        client.acked = again
        for _ in range(in_flight):
            client.say(next(_numbers), TEXT, time.perf_counter())
    async with asyncio.timeout(seconds + 20):
        await idle.wait()
    return acked


# --- one who does not read ------------------------------------------------------------------------------


async def frozen(seconds: float) -> dict[str, Any]:
    """50 in a room, 100 messages a second: the acks of the others, with and without a frozen reader."""
    print("\nack p99 of 50 people, 100 messages a second, without and with one who does not read")
    found: dict[str, Any] = {}
    async with our_rooms() as ours:
        crowd = await ours.people(1, 50)
        await steadily(crowd, 100, 1.0)
        found["without"] = await used_by(ours, crowd, 100, seconds)
        stuck = crowd.clients.pop()
        stuck.transport.pause_reading()
        found["with"] = await used_by(ours, crowd, 100, seconds)
    for name, row in found.items():
        print(f"  {name:<8} p50 {row['p50_ms']:>6} ms  p99 {row['p99_ms']:>6} ms")
    return found


# --- what a connection weighs ---------------------------------------------------------------------------


async def idle(connections: int) -> dict[str, Any]:
    """Rooms of ten, everybody silent."""
    async with our_rooms(ROOMS_ADDRESS_WEBSOCKETS=str(2 * connections)) as ours:  # all have one address
        await ours.people(20, 10)  # what the process needs anyway
        before = ours.process.resident
        crowd = await ours.people(connections // 10, 10)
        await asyncio.sleep(3)
        after = ours.process.resident
        row = {
            "connections": len(crowd.clients),
            "lost": crowd.lost,
            "bytes_each": round((after - before) / len(crowd.clients)),
            "resident_before_mib": round(before / 2**20, 1),
            "resident_mib": round(after / 2**20, 1),
        }
    print(f"\n{row['connections']:,} idle connections: {row['bytes_each']:,} bytes of memory each")
    print(f"  {row['lost']} lost; {row['resident_before_mib']} MiB before, {row['resident_mib']} after")
    return row
