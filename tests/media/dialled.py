"""A client's end of a framed TCP connection (RFC 4571), to be used as its DatagramSocket is."""

from __future__ import annotations

import select
import socket

from media import address
from media.address import Address
from media.datagrams import INBOX, STRIDE, Inbox, Outbox


class Dialled:
    """Connects when it first sends. Sending may wait a little, as a test's may."""

    def __init__(self, family: socket.AddressFamily = socket.AF_INET) -> None:
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._connected = False
        self._arrived = bytearray()
        self.fd = self._socket.fileno()
        self.inbox = Inbox(address.SIZES[family])
        self.outbox = Outbox(address.SIZES[family])

    def close(self) -> None:
        self._socket.close()

    def send(self, to: Address, datagram: bytes) -> None:
        self.send_raw(to, len(datagram).to_bytes(2, "big") + datagram)

    def send_raw(self, to: Address, octets: bytes) -> None:
        if not self._connected:
            self._socket.settimeout(5)
            self._socket.connect(address.unpack(to))
            self._connected = True
        self._socket.sendall(octets)

    def takes_little(self) -> None:
        """Before it connects: few octets fit into it unread."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    @property
    def has_ended(self) -> bool:
        """Whether the other side has closed the connection."""
        self._socket.settimeout(5)
        try:
            return self._socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def receive(self) -> int:
        """As DatagramSocket.receive."""
        self._read()
        for i in range(INBOX):
            size = int.from_bytes(self._arrived[:2], "big")
            if len(self._arrived) < 2 or len(self._arrived) < 2 + size:
                return i
            self.inbox.buffer[i * STRIDE : i * STRIDE + size] = self._arrived[2 : 2 + size]
            self.inbox.sizes[i] = size
            del self._arrived[: 2 + size]
        return INBOX

    def datagrams(self) -> list[bytes]:
        """Those that have come; waits for one."""
        assert self._arrived or select.select([self.fd], [], [], 5)[0], "nothing came"
        buffer, sizes = self.inbox.buffer, self.inbox.sizes
        return [bytes(buffer[i * STRIDE : i * STRIDE + sizes[i]]) for i in range(self.receive())]

    def _read(self) -> None:
        self._socket.setblocking(False)
        try:
            while came := self._socket.recv(65536):
                self._arrived += came
        except BlockingIOError:
            pass
        finally:
            self._socket.settimeout(5)
