"""`python -m bench.join`: from the offer to the first packet of voice, on loopback.

    python -m bench.join [--joins 200]

The worker is a process of its own, the load is this one: a speaker who sends a packet every 2.5 ms, and one
listener after the other who offers, does ICE and DTLS, and waits for the first packet that it can decrypt.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from typing import Final

import grpc

from bench.forward.__main__ import GRPC, TOKEN, ready, worker
from bench.forward.client import Client
from proto import media_pb2, media_pb2_grpc

PERIOD: Final = 0.0025
STEPS: Final = ("answer", "checked", "keys", "packet")


class Joiner(Client):
    """A client that notes when each step is done."""

    def __init__(self) -> None:
        super().__init__(slots=9)
        self.done: dict[str, float] = {}

    def note(self, step: str) -> None:
        self.done.setdefault(step, time.perf_counter())

    def _handshaking(self) -> None:
        super()._handshaking()
        if self._checked.is_set():
            self.note("checked")


async def join(stub: media_pb2_grpc.MediaAsyncStub, number: int, speaker: Client) -> list[float]:
    """Milliseconds from the offer to each of STEPS."""
    joiner = Joiner()
    offer = joiner.offer()
    began = time.perf_counter()
    answer = await _negotiate(stub, f"listener{number}", offer)
    joiner.note("answer")
    await joiner.connect(answer)
    joiner.note("keys")
    heard = asyncio.Event()
    loop = asyncio.get_running_loop()

    def readable() -> None:
        if joiner.receive(lambda _: joiner.note("packet")):
            heard.set()

    loop.add_reader(joiner.socket.fd, readable)
    async with asyncio.timeout(10):
        await heard.wait()
    loop.remove_reader(joiner.socket.fd)
    close = media_pb2.CloseRequest(room_id="room", user_id=f"listener{number}")
    await stub.Close(close, metadata=[("cwrk-service", TOKEN)], timeout=10)
    joiner.socket.close()
    speaker.receive()
    return [(joiner.done[step] - began) * 1e3 for step in STEPS]


async def _negotiate(stub: media_pb2_grpc.MediaAsyncStub, user: str, offer: str) -> str:
    request = media_pb2.NegotiateRequest(room_id="room", user_id=user, sdp=offer)
    answer = await stub.Negotiate(request, metadata=[("cwrk-service", TOKEN)], timeout=10)
    return str(answer.sdp)


async def speak(speaker: Client) -> None:
    while True:
        speaker.send(b"opus" * 30)
        await asyncio.sleep(PERIOD)


async def run(joins: int) -> list[list[float]]:
    await ready()
    async with grpc.aio.insecure_channel(GRPC) as channel:
        stub: media_pb2_grpc.MediaAsyncStub = media_pb2_grpc.MediaStub(channel)
        speaker = Client(slots=1)
        await speaker.connect(await _negotiate(stub, "speaker", speaker.offer()))
        speaking = asyncio.create_task(speak(speaker))
        try:
            return [await join(stub, number, speaker) for number in range(joins)]
        finally:
            speaking.cancel()
            speaker.socket.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.join", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--joins", type=int, default=200)
    arguments = parser.parse_args()
    with worker():
        taken = asyncio.run(run(arguments.joins))
    for step, times in zip(STEPS, zip(*taken, strict=True), strict=True):
        cuts = statistics.quantiles(times, n=20)
        print(f"{step:>8}: p50 {statistics.median(times):5.1f} ms, p95 {cuts[18]:5.1f} ms after the offer")


if __name__ == "__main__":
    main()
