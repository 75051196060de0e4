"""`python -m bench.crowd`: rooms of two and of many more people than slots, and each packet that each got.

    python -m bench.crowd [--people 2 10 50 300] [--slots 9] [--seconds 20] [--json FILE]

People say words, one after the other and sometimes two at once, each from somebody who was silent before.
Everybody should hear every word whole, from its first packet on, in slots that are one stream each.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import select
import struct
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

import grpc

from bench.forward.client import LEVEL_ID, Client
from bench.report import store
from bench.report.machine import machine
from bench.servers.ours import negotiate, worker
from bench.servers.server import cpu_seconds
from media.voice import contributor
from proto import media_pb2_grpc

FRAME = 0.02
#: Packets in a word; one in OVERLAP words begins while the one before is still being said.
WORD = 50
OVERLAP = 4
#: Frames from one connectivity check of a client to the next, as browsers do: 4 s.
CONSENT = 200
#: How loud they all are (RFC 6464), and the element of the header that says so to a Client.
LEVEL = 25
_LEVEL = bytes([LEVEL_ID << 4, 0x80 | LEVEL])
_SAID = struct.Struct(">dIIII")  # when, whose number, which word, which packet of it, how many it has


@dataclass(frozen=True)
class Result:
    """Of all words times all who should hear them: the share heard whole, and how many lack their first
    packet. `gaps` are sequence numbers of a slot that never came, `overtaken` packets that came after the one
    that follows, `steps_back` timestamps that do not go on, `strangers` packets whose CSRC does not name who
    said them, `unlevel` those without their level. Delays are of first packets: a word of one who had no slot
    waits for its third."""

    people: int
    slots: int
    words: int
    heard_whole: float
    without_beginning: int
    packets: int
    gaps: int
    overtaken: int
    steps_back: int
    strangers: int
    unlevel: int
    first_p50_ms: float
    first_p99_ms: float
    later_p50_ms: float
    later_p99_ms: float
    worker_cpu: float


class Listener:
    """What one person heard."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.words: dict[tuple[int, int], set[int]] = {}
        self.newest: dict[int, tuple[int, int]] = {}
        self.missing: set[tuple[int, int]] = set()
        self.packets = self.overtaken = self.steps_back = self.strangers = self.unlevel = 0
        self.first: list[float] = []
        self.later: list[float] = []

    def hear(self, packet: bytes) -> None:
        words = int.from_bytes(packet[18:20], "big")
        said_at, who, word, place, _ = _SAID.unpack_from(packet, 20 + 4 * words)
        sequence, timestamp, ssrc = struct.unpack_from(">HII", packet, 2)
        last, stamp = self.newest.get(ssrc, (sequence - 1, timestamp - 1))
        step = (sequence - last) & 0xFFFF
        if step < 0x8000:
            self.missing |= {(ssrc, (last + past) & 0xFFFF) for past in range(1, step)}
            self.steps_back += not 0 < (timestamp - stamp) & 0xFFFFFFFF < 1 << 31
            self.newest[ssrc] = sequence, timestamp
        else:
            self.missing.discard((ssrc, sequence))
            self.overtaken += 1
        self.strangers += packet[12:16] != who.to_bytes(4, "big")
        self.unlevel += packet[20:22] != _LEVEL
        self.packets += 1
        self.words.setdefault((who, word), set()).add(place)
        (self.later if place else self.first).append(time.monotonic() - said_at)


async def connect(worker: str, people: int, slots: int) -> list[Client]:
    clients: list[Client] = []
    async with grpc.aio.insecure_channel(worker) as channel:
        stub: media_pb2_grpc.MediaAsyncStub = media_pb2_grpc.MediaStub(channel)
        for number in range(people):
            clients.append(Client(slots))
            offer = clients[-1].offer()
            await clients[-1].connect(await negotiate(stub, "room", f"user{number}", offer))
            for place in range(number % 50, number, 50):
                clients[place].check()
    return clients


def talk(clients: list[Client], listeners: list[Listener], seconds: float) -> list[tuple[int, int]]:
    """Words for so long; returns (talker, word) of each."""
    order = deque(random.Random(1).sample(range(len(clients)), len(clients)))
    said: list[tuple[int, int]] = []
    talking: list[tuple[int, int, int]] = []  # talker, word, packets said
    start = time.monotonic()
    turn = 0
    by_fd = {each.client.socket.fd: each for each in listeners}
    poll = select.poll()
    for fd in by_fd:
        poll.register(fd, select.POLLIN)
    while turn * FRAME < seconds or talking:
        enough = 2 if len(said) % OVERLAP == 0 else 1
        if len(talking) < enough and turn * FRAME < seconds:
            talking.append((order[0], len(said), 0))
            said.append((order[0], len(said)))
            order.rotate(-1)
        for talker, word, place in talking:
            who = contributor("room", f"user{talker}")
            payload = _SAID.pack(time.monotonic(), who, word, place, WORD) + bytes(96)
            clients[talker].send(payload, level=LEVEL, marker=0 if place else 0x80)
        talking = [(talker, word, place + 1) for talker, word, place in talking if place + 1 < WORD]
        for place in range(turn % CONSENT, len(clients), CONSENT):
            clients[place].check()
        turn += 1
        while True:
            for fd, _ in poll.poll(0):
                listener = by_fd[fd]
                listener.client.receive(listener.hear)
            if time.monotonic() >= start + turn * FRAME:
                break
            time.sleep(0.001)
    time.sleep(0.3)
    for each in listeners:
        each.client.receive(each.hear)
    return said


def measure(people: int, slots: int, seconds: float) -> Result:
    with worker() as server:
        clients = asyncio.run(connect(server.address, people, slots))
        listeners = [Listener(client) for client in clients]
        gc.freeze()
        before, began = cpu_seconds(server.pid), time.monotonic()
        said = talk(clients, listeners, seconds)
        used = (cpu_seconds(server.pid) - before) / (time.monotonic() - began)
    whole = lacking = 0
    for number, listener in enumerate(listeners):
        for talker, word in said:
            if talker != number:
                heard = listener.words.get((contributor("room", f"user{talker}"), word), set())
                whole += len(heard) == WORD
                lacking += 0 not in heard
    for client in clients:
        client.socket.close()
    first = sorted(delay for listener in listeners for delay in listener.first)
    later = sorted(delay for listener in listeners for delay in listener.later)
    return Result(
        people,
        slots,
        len(said),
        whole / (len(said) * (people - 1)),
        lacking,
        sum(each.packets for each in listeners),
        sum(len(each.missing) for each in listeners),
        sum(each.overtaken for each in listeners),
        sum(each.steps_back for each in listeners),
        sum(each.strangers for each in listeners),
        sum(each.unlevel for each in listeners),
        first[len(first) // 2] * 1e3,
        first[len(first) * 99 // 100] * 1e3,
        later[len(later) // 2] * 1e3,
        later[len(later) * 99 // 100] * 1e3,
        used,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.crowd", description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, nargs="+", default=[2, 10, 50, 300])
    parser.add_argument("--slots", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    results = []
    for people in arguments.people:
        results.append(measure(people, arguments.slots, arguments.seconds))
        last = results[-1]
        print(
            f"room of {people:3}, {last.slots} slots: {last.words} words, {last.heard_whole:.2%} heard "
            f"whole, {last.without_beginning} without their beginning; {last.packets} packets, "
            f"{last.gaps} gaps, {last.overtaken} overtaken, {last.steps_back} steps back in time, "
            f"{last.strangers} misnamed, {last.unlevel} without level; "
            f"first packet p50 {last.first_p50_ms:.0f}, p99 {last.first_p99_ms:.0f} ms, "
            f"later ones {last.later_p50_ms:.0f}, {last.later_p99_ms:.0f} ms; "
            f"worker {last.worker_cpu:.0%} of a core",
            flush=True,
        )
    if arguments.json:
        report = {"machine": machine(load_before), "results": [asdict(result) for result in results]}
        store.write(arguments.json, report)


if __name__ == "__main__":
    main()
