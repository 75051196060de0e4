"""`python -m bench.flood.behind`: what a worker does before it passes on a packet that comes behind a burst.

    python -m bench.flood.behind [--people 20] [--packets 500] [--times 25]

Somebody in a room of `people` sends so many packets at once, strangers as many datagrams, and right behind
them comes a packet of somebody in another room. How long it waits is counted in CPU time of the packet loop,
which runs in this process without its thread: what else the machine does is not in it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Final

from bench.forward.client import PAYLOAD_TYPE, Client
from common import log
from media import address
from media.address import Path
from media.datagrams import DatagramSocket
from media.loops import choose
from media.packet_loop import MakeLoop, PacketLoop, Rates, SlotNumbers, TransportNumbers
from media.srtp import Contexts, Keys

_HOST: Final = "127.0.0.1"
_SLOT: Final = "0"
#: AEAD_AES_128_GCM, by libsrtp's number, and octets of its key and salt.
_PROFILE: Final = 7
_KEY: Final = 28
#: What strangers send begins like RTP, STUN, DTLS, and like nothing.
_BEGINNINGS: Final = (0x80, 0x00, 0x16, 0xFF)
_WARM: Final = 2


class Person(Client):
    """A participant without ICE and DTLS: its keys are made up."""

    def __init__(self, number: int, worker: DatagramSocket, loop: PacketLoop) -> None:
        own = DatagramSocket(_HOST, 0)
        super().__init__(slots=1, socket=own)
        keys = bytes([number] * _KEY), bytes([number, 1] * (_KEY // 2))
        self._contexts = Contexts(Keys(_PROFILE, receive=keys[1], transmit=keys[0]))
        self.server = address.pack(_HOST, worker.port)
        loop.add_transport(
            number,
            TransportNumbers(PAYLOAD_TYPE, 1, (SlotNumbers(_SLOT, 1000 + number, PAYLOAD_TYPE, 1, 4),)),
        )
        loop.set_keys(number, Keys(_PROFILE, receive=keys[0], transmit=keys[1]))
        path = Path(0, address.pack(_HOST, own.port))
        loop.learn(number, path)
        loop.aim(number, path)


def measure(make: MakeLoop, people: int, packets: int, times: int) -> list[float]:
    """How long it waited each time, seconds of CPU time."""
    worker = DatagramSocket(_HOST, 0)
    loop = make([worker], Rates())
    ann, bob, eve, *others = (Person(number, worker, loop) for number in range(1, 3 + people))
    loop.add_route(1, 2, _SLOT)
    for number in range(4, 3 + people):
        loop.add_route(3, number, _SLOT)
    stranger = DatagramSocket(_HOST, 0)
    noise = [bytes([first]) + bytes(200) for first in _BEGINNINGS]
    took = []
    for turn in range(_WARM + times):
        now = 10.0 * (1 + turn)  # by then everybody may send as much again
        for number in range(packets):
            eve.send(bytes(400))
            stranger.send(eve.server, noise[number % len(noise)])
        ann.send(b"voice")
        began = time.thread_time()
        while not bob.receive():
            loop.poll(0, now)
        took.append(time.thread_time() - began)
        while loop.poll(0, now).more:
            pass
        for each in others:
            each.receive()
    for each in (ann, bob, eve, *others):
        each.socket.close()
    for opened in (worker, stranger):
        opened.close()
    return took[_WARM:]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.flood.behind", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--packets", type=int, default=500)
    parser.add_argument("--times", type=int, default=25)
    arguments = parser.parse_args()
    log.configure("bench", level="error")
    for name in ("native", "python"):
        took = sorted(measure(choose(name), arguments.people, arguments.packets, arguments.times))
        print(
            f"{name:>7}: {statistics.median(took) * 1e3:.2f} ms"
            f" ({took[0] * 1e3:.2f} to {took[-1] * 1e3:.2f}) behind {arguments.packets:,} packets for"
            f" {arguments.people - 1} listeners and as many datagrams of strangers"
        )


if __name__ == "__main__":
    main()
