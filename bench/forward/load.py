"""The load: participants that speak, paced evenly, in a process of its own."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.forward.arrivals import Arrivals
from bench.forward.client import Client, stamped
from bench.servers.server import Participant, Running, cpu_seconds, resident_bytes

PACKETS_PER_SECOND: Final = 50
PAYLOAD: Final = 120
VOICE: Final = stamped(PAYLOAD)
#: How often every socket is emptied, seconds. The kernel stamps what matters, so nothing is in a hurry.
DRAIN: Final = 0.01
#: How often a client checks its way, seconds (RFC 7675, 5.1).
CONSENT: Final = 5.0
#: Listeners whose packets' delays are taken.
PROBES: Final = 8


@dataclass(frozen=True)
class Scenario:
    """`rooms` rooms of `people` each, of whom the first `speaking` speak all the time, to all the others."""

    name: str
    rooms: int
    people: int
    speaking: int

    @property
    def packets_per_second(self) -> int:
        """What the listeners are to get."""
        return self.rooms * self.speaking * (self.people - 1) * PACKETS_PER_SECOND


def everybody(people: int, rooms: int = 1) -> Scenario:
    """Where everybody speaks."""
    return Scenario(f"{rooms} rooms of {people}" if rooms > 1 else f"room of {people}", rooms, people, people)


def study_rooms(rooms: int) -> Scenario:
    """Rooms of ten where three talk at once, which is a lively evening."""
    return Scenario(f"{rooms} rooms of 10, 3 speak", rooms, 10, 3)


def audience(listeners: int) -> Scenario:
    """Where one speaks."""
    return Scenario(f"1 to {listeners}", 1, listeners + 1, 1)


@dataclass(frozen=True)
class Result:
    """`cpu_us` is CPU time of the whole server process for a packet that reached a listener. Delays are from
    before encryption at the speaker to the listener's kernel; None where what was said does not come out
    as it went in. `reached` is the share of what should have come that did."""

    cpu_us: float
    cpu_share: float
    forwarded: int
    reached: float
    lost: int
    rate: float
    delay_p50_ms: float | None
    delay_p99_ms: float | None
    sent_share: float
    resident_mib: float


async def fill(scenario: Scenario, server: Running, prefix: str = "room") -> list[Participant]:
    """All participants, connected; their rooms are named by `prefix` and a number."""
    participants: list[Participant] = []
    for room in range(scenario.rooms):
        for number in range(scenario.people):
            speaks = number < scenario.speaking
            hears = scenario.speaking - speaks
            participants.append(
                await server.enter(f"{prefix}{room}", f"user{number}", speaks=speaks, hears=hears)
            )
            if number % 50 == 49:
                _check(participants)  # those who came first have been silent for seconds
    await server.settle()
    return participants


def _check(participants: Sequence[Participant]) -> None:
    for participant in participants:
        for client in participant.clients:
            client.receive()
            client.check()


def run(scenario: Scenario, participants: list[Participant], pid: int, seconds: float) -> Result:
    """Speaks for a second to warm up, and then for `seconds` that count."""
    speak(participants, 1.0)
    ears = [each.ears for each in participants if each.ears is not None]
    mouths = [each.mouth for each in participants if each.mouth is not None]
    probes = [Arrivals(client) for client in _some(ears)]
    for client in ears:
        client.streams.clear()
    for client in mouths:
        client.sent = 0
    gc.collect()
    gc.disable()
    try:
        before, started = cpu_seconds(pid), time.monotonic()
        speak(participants, seconds)
        used, took = cpu_seconds(pid) - before, time.monotonic() - started
    finally:
        gc.enable()
    streams = [stream for client in ears for stream in client.streams.values()]
    received = sum(stream.packets for stream in streams)
    delays = sorted(delay for probe in probes for delay in probe.delays)
    sent_share = sum(client.sent for client in mouths) / (len(mouths) * PACKETS_PER_SECOND * seconds)
    return Result(
        cpu_us=used / max(1, received) * 1e6,
        cpu_share=used / took,
        forwarded=received,
        reached=received / (scenario.packets_per_second * seconds * sent_share),
        lost=sum(stream.lost for stream in streams),
        rate=received / took,
        delay_p50_ms=delays[len(delays) // 2] * 1e3 if delays else None,
        delay_p99_ms=delays[len(delays) * 99 // 100] * 1e3 if delays else None,
        sent_share=sent_share,
        resident_mib=resident_bytes(pid) / (1 << 20),
    )


def _some(clients: list[Client]) -> list[Client]:
    """A few of them, evenly spread: who comes first in a fan-out hears it sooner than who comes last."""
    few = min(PROBES, len(clients))
    return [clients[place * len(clients) // few] for place in range(few)]


def speak(participants: Sequence[Participant], seconds: float) -> None:
    """Everybody who speaks does, each with a phase of its own, as clients that know nothing of each other."""
    for pause in pace(participants, seconds):
        time.sleep(pause)
    time.sleep(0.1)  # for what is under way
    for participant in participants:
        for client in participant.clients:
            client.receive()


def pace(participants: Sequence[Participant], seconds: float) -> Iterator[float]:
    """The work of `speak`, and how long to sleep after each piece of it."""
    mouths = [each.mouth for each in participants if each.mouth is not None]
    everybody = list({client for each in participants for client in each.clients})
    step = 1 / PACKETS_PER_SECOND
    start = time.monotonic() + 0.01
    order = sorted(((start + random.random() * step, client) for client in mouths), key=lambda pair: pair[0])
    drain_at, checks = start, _turns(everybody, start)
    for turn in range(round(seconds * PACKETS_PER_SECOND)):
        for due, client in order:
            at = due + turn * step
            while (now := time.monotonic()) < at:
                if now >= drain_at:
                    drain_at = now + DRAIN
                    for each in everybody:
                        each.receive()
                    next(checks)
                else:
                    yield min(at, drain_at) - now
            client.send(stamped(PAYLOAD, time.time_ns()))


def _turns(clients: Sequence[Client], start: float) -> Iterator[None]:
    """Each time it is asked, those check their way whose turn it is; a next load goes on where one ended."""
    done = int(start / CONSENT * len(clients))
    while True:
        due = int(time.monotonic() / CONSENT * len(clients))
        for number in range(done, due):
            clients[number % len(clients)].check()
        done = max(done, due)
        yield
