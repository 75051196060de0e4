"""A bad network: a UDP relay between one client and the worker, which loses and delays packets."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from typing import Final

#: Whether this datagram, on its way now, is lost.
Loss = Callable[[bytes], bool]

_MOST: Final = 2048


def none(datagram: bytes) -> bool:
    return False


def scattered(rate: float, seed: int) -> Loss:
    """Each packet by itself."""
    chance = random.Random(seed)
    return lambda datagram: chance.random() < rate


def bursts(rate: float, length: float, seed: int) -> Loss:
    """So many packets in all, in bursts of `length` on average (Gilbert's model)."""
    chance = random.Random(seed)
    begins, ends = rate / (1 - rate) / length, 1 / length
    losing = False

    def lost(datagram: bytes) -> bool:
        nonlocal losing
        losing = chance.random() >= ends if losing else chance.random() < begins
        return losing

    return lost


def is_media(datagram: bytes) -> bool:
    """RTP or RTCP; the rest is how the connection is made, and another bench's matter."""
    return 128 <= datagram[0] < 192


class Relay:
    """Stands in for the worker at `host`, for one client. Runs in the event loop until it is closed.

    `up` and `down` lose media on the way to the worker and from it; every datagram takes `delay` seconds.
    """

    def __init__(self, worker: tuple[str, int], *, host: str = "127.0.0.1", delay: float = 0.0) -> None:
        self.up: Loss = none
        self.down: Loss = none
        #: Media datagrams that came in here, and that were lost, on the way up and down.
        self.seen = [0, 0]
        self.lost = [0, 0]
        self._delay = delay
        self._client: tuple[str, int] | None = None
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for each in (self._front, self._back):
            each.setblocking(False)
            each.bind((host, 0))
        self._back.connect(worker)
        self.address: tuple[str, int] = self._front.getsockname()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._front, self._from_client)
        self._loop.add_reader(self._back, self._from_worker)

    def close(self) -> None:
        for each in (self._front, self._back):
            self._loop.remove_reader(each)
            each.close()

    def _from_client(self) -> None:
        while True:
            try:
                datagram, self._client = self._front.recvfrom(_MOST)
            except OSError:
                return
            self._pass(datagram, 0, self.up)

    def _from_worker(self) -> None:
        while True:
            try:
                datagram = self._back.recv(_MOST)
            except OSError:
                return
            self._pass(datagram, 1, self.down)

    def _pass(self, datagram: bytes, way: int, loss: Loss) -> None:
        if is_media(datagram):
            self.seen[way] += 1
            if loss(datagram):
                self.lost[way] += 1
                return
        if self._delay:
            self._loop.call_later(self._delay, self._send, datagram, way)
        else:
            self._send(datagram, way)

    def _send(self, datagram: bytes, way: int) -> None:
        try:
            if way == 0:
                self._back.send(datagram)
            elif self._client is not None:
                self._front.sendto(datagram, self._client)
        except OSError:
            return  # closed meanwhile, or nobody is there: lost, as on any network
