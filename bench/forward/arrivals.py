"""When packets came, by the kernel's clock: what the load process does meanwhile is not in it."""

from __future__ import annotations

import os
import socket
import struct
from typing import Final

from bench.forward.client import Client, Wire, made_at, payload_of
from media import address
from media.datagrams import INBOX, STRIDE

#: linux/socket.h; the time as CLOCK_REALTIME in nanoseconds, of when the datagram reached the socket's host.
SO_TIMESTAMPNS: Final = getattr(socket, "SO_TIMESTAMPNS", 35)
_TIME: Final = struct.Struct("@ll")
_ROOM: Final = socket.CMSG_SPACE(_TIME.size)
#: A stamp that far off is none: the payload was encoded anew.
_SANE_S: Final = 10.0


class StampedSocket:
    """Another one's socket, from which datagrams are taken one by one, each with its time in `stamps`, in
    seconds of CLOCK_REALTIME."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.fd, self.inbox, self.outbox = wire.fd, wire.inbox, wire.outbox
        self._socket = socket.socket(fileno=os.dup(wire.fd))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.stamps = [0.0] * INBOX

    def send(self, to: address.Address, datagram: bytes) -> None:
        self._wire.send(to, datagram)

    def receive(self) -> int:
        view = memoryview(self.inbox.buffer)
        for i in range(INBOX):
            try:
                size, control, _, source = self._socket.recvmsg_into(
                    [view[i * STRIDE : (i + 1) * STRIDE]], _ROOM
                )
            except BlockingIOError:
                return i
            self.inbox.sizes[i] = size
            self.inbox.put_source(i, address.pack(*source[:2], *source[3:]))
            for level, kind, data in control:
                if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                    seconds, nanoseconds = _TIME.unpack(data)
                    self.stamps[i] = seconds + nanoseconds / 1e9
        return INBOX

    def close(self) -> None:
        self._socket.close()
        self._wire.close()


class Arrivals:
    """How late each packet came that a client heard, in seconds since it was stamped with `time.time_ns`."""

    def __init__(self, client: Client) -> None:
        self.delays: list[float] = []
        self._client = client
        self._socket = client.socket = StampedSocket(client.socket)
        client.hearer = self._heard

    def _heard(self, packet: bytes) -> None:
        delay = self._socket.stamps[self._client.place] - made_at(payload_of(packet))
        if abs(delay) < _SANE_S:
            self.take(packet[8:12], delay)

    def take(self, _slot: bytes, delay: float) -> None:
        """A packet of this SSRC."""
        self.delays.append(delay)
