"""The flood: a process of its own, with a room of its own."""

from __future__ import annotations

import asyncio
import os
import random
import time
from multiprocessing.synchronize import Event
from typing import Final

from bench.forward import load
from bench.servers import ours
from bench.servers.server import Participant
from media.datagrams import DatagramSocket
from media.packet_loop import Rates

#: Of speech.
_PACE: Final = 0.02
_STEP: Final = 0.002
#: What strangers send begins like RTP, STUN, DTLS, and like nothing.
_BEGINNINGS: Final = (0x80, 0x00, 0x16, 0xFF)


async def connect(worker: ours.Worker, people: int, room: str) -> list[Participant]:
    """A room where everybody speaks."""
    async with ours.rooms(worker) as rooms:
        return await load.fill(load.everybody(people), rooms, room)


def flood(
    worker: ours.Worker, people: int, times: int, burst: float, on: Event, connected: Event, over: Event
) -> None:
    """The other room, and the strangers; until `over`. While it is not `on`, people there only talk. The
    flood comes each `burst` seconds, all at once."""
    os.nice(19)  # its own work is not to keep the worker and the measurement waiting
    participants = asyncio.run(connect(worker, people, "flooded"))
    clients = [each.mouth for each in participants if each.mouth is not None]
    connected.set()
    eve, *others = clients
    strangers = [DatagramSocket("127.0.0.1", 0) for _ in range(8)]
    dice = random.Random(1)
    noise = [bytes([dice.choice(_BEGINNINGS)]) + dice.randbytes(dice.randrange(20, 400)) for _ in range(997)]
    rates = Rates()
    at_once = round(times * rates.packets * burst)
    payload = bytes(rates.octets // rates.packets)
    sent = step = 0
    next_step = time.monotonic()
    while not over.is_set():
        next_step += _STEP
        time.sleep(max(0.0, next_step - time.monotonic()))
        step += 1
        if on.is_set() and step % round(burst / _STEP) == 0:
            for _ in range(at_once):
                eve.send(payload)
                sent += 1
                strangers[sent % 8].send(eve.server, noise[sent % 997])
        if step % round(_PACE / _STEP) == 0:
            for client in others:
                client.send(load.VOICE)
            for client in clients:
                client.receive()
            if not on.is_set():
                eve.send(load.VOICE)
    print(f"flood: {sent:,} packets, and as many datagrams of strangers")
