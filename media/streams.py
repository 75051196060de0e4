"""The way in for networks that let no UDP through: TCP, with each datagram framed (RFC 4571, RFC 6544).

A `StreamSocket` listens on one local address and is, to whoever reads and writes datagrams, what a
`DatagramSocket` is: an inbox, an outbox, and addresses. Each connection is one more address. What a
connection cannot take at once is dropped, as UDP would: who reads slowly hears less, and nobody else
notices.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import sys
from collections import Counter
from typing import Final

from media import address
from media.address import Address
from media.datagrams import INBOX, STRIDE, Inbox, Outbox

#: Seconds a new connection has to show whose it is, and a known one may be silent.
UNPROVEN_SECONDS: Final = 10.0
SILENT_SECONDS: Final = 30.0
#: Octets that may wait in the kernel before they are sent, a connection: 70 ms of nine voices. Past it,
#: packets are dropped.
_WAITING: Final = 4096
#: Octets on their way, sent and not acknowledged.
_BUFFER: Final = 64 * 1024
#: Frames of one connection before the others get their turn.
_TURN: Final = 8
_BACKLOG: Final = 64
_LENGTH: Final = 2
#: Linux's TCP_NOTSENT_LOWAT, which Python names since 3.13 only.
_NOTSENT_LOWAT: Final = 25


class _Connection:
    """One accepted connection. `part` is what has come of a frame, `rest` what a frame still lacks there."""

    __slots__ = ("address", "heard", "heard_at", "host", "part", "proven", "rest", "socket")

    def __init__(self, accepted: socket.socket, peer: Address) -> None:
        self.socket = accepted
        self.address = peer
        self.host = _host(peer)
        self.part = bytearray()
        self.rest = b""
        self.proven = False
        self.heard = True
        self.heard_at = 0.0


class StreamSocket:
    """A TCP listener with its connections. Never blocks, and raises nothing once it is bound."""

    def __init__(self, host: str, port: int, *, connections: int = 2000, unproven: int = 32) -> None:
        """Takes so many `connections`, and so many from one address that have not shown yet whose they
        are. Binds; OSError when that cannot be."""
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(self.family, socket.SOCK_STREAM)
        try:
            self._listener.setblocking(False)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self.family == socket.AF_INET6:
                self._listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self._listener.bind((host, port))
            self._listener.listen(_BACKLOG)
        except OSError:
            self._listener.close()
            raise
        self.host, self.port = self._listener.getsockname()[:2]
        self.inbox = Inbox(address.SIZES[self.family])
        self.outbox = Outbox(address.SIZES[self.family])
        #: Datagrams that a connection could not take.
        self.unsent = 0
        #: Connections that were not let in.
        self.refused = 0
        self._most = connections
        self._most_unproven = unproven
        self._connections: dict[Address, _Connection] = {}
        self._strangers: dict[Address, _Connection] = {}  # the unproven ones, in the order they came
        self._of_host: Counter[bytes] = Counter()  # how many of those
        self._ended: list[Address] = []
        self._selector = selectors.DefaultSelector()
        #: Readable when something has come on any of the connections.
        self.fd = self._selector.fileno()
        self._listening = False
        self._listen()

    def __len__(self) -> int:
        return len(self._connections)

    def close(self) -> None:
        for connection in list(self._connections.values()):
            self._end(connection)
        self._selector.close()
        self._listener.close()

    # --- receiving ---------------------------------------------------------------------------------------

    def receive(self) -> int:
        """Takes in what has arrived, at most INBOX datagrams, and says how many."""
        count = 0
        for key, mask in self._selector.select(0):
            connection: _Connection | None = key.data
            if connection is None:
                self._accept()
                continue
            if self._connections.get(connection.address) is not connection:
                continue  # gave way to one that was let in just now
            if mask & selectors.EVENT_WRITE:
                self._push(connection)
            if mask & selectors.EVENT_READ and count < INBOX:
                count = self._read(connection, count)
        return count

    def _read(self, connection: _Connection, count: int) -> int:
        """Reads no further than the frame it is at, so that what is left is for the kernel to keep."""
        part = connection.part
        for _ in range(2 * _TURN):
            size = int.from_bytes(part[:_LENGTH], "big") if len(part) >= _LENGTH else 0
            try:
                came = connection.socket.recv(_LENGTH + size - len(part))
            except BlockingIOError:
                break
            except OSError:
                came = b""
            if not came:
                self._end(connection)
                break
            connection.heard = True
            part += came
            if len(part) < _LENGTH:
                continue
            size = int.from_bytes(part[:_LENGTH], "big")
            if size > STRIDE:
                self._end(connection)
                break
            if len(part) == _LENGTH + size:
                if size:
                    self._put(count, part, connection.address)
                    count += 1
                part.clear()
                if count == INBOX:
                    break
        return count

    def _put(self, i: int, frame: bytearray, source: Address) -> None:
        size = len(frame) - _LENGTH
        self.inbox.buffer[i * STRIDE : i * STRIDE + size] = frame[_LENGTH:]
        self.inbox.sizes[i] = size
        self.inbox.put_source(i, source)

    # --- sending -----------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Sends the outbox."""
        for to, datagram in self.outbox.take():
            self.send(to, datagram)

    def send(self, to: Address, datagram: bytes) -> None:
        """Sends one datagram now, or drops it and counts it."""
        connection = self._connections.get(to)
        if connection is None or connection.rest:
            self.unsent += 1
            return
        frame = len(datagram).to_bytes(_LENGTH, "big") + datagram
        try:
            sent = connection.socket.send(frame)
        except OSError:
            # Nothing fits, or the connection has ended: then reading says so too.
            self.unsent += 1
            return
        if sent < len(frame):
            # The other side could not read on without the rest.
            connection.rest = frame[sent:]
            self._selector.modify(connection.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, connection)

    def _push(self, connection: _Connection) -> None:
        with contextlib.suppress(OSError):
            connection.rest = connection.rest[connection.socket.send(connection.rest) :]
        if not connection.rest:
            self._selector.modify(connection.socket, selectors.EVENT_READ, connection)

    # --- connections -------------------------------------------------------------------------------------

    def prove(self, of: Address) -> None:
        """A participant has shown that the connection is theirs."""
        if connection := self._connections.get(of):
            connection.proven = True
            self._known(connection)

    def drop(self, of: Address) -> None:
        """Ends a connection; nothing happens when it has ended."""
        if connection := self._connections.get(of):
            self._end(connection)

    def sweep(self, now: float) -> list[Address]:
        """Ends those that were silent for too long; all proven ones that have ended since the last call."""
        for connection in list(self._connections.values()):
            if connection.heard and (connection.proven or not connection.heard_at):
                connection.heard_at = now
            connection.heard = False
            if now - connection.heard_at > (SILENT_SECONDS if connection.proven else UNPROVEN_SECONDS):
                self._end(connection)
        if not self._listening:
            self._listen()
        ended, self._ended = self._ended, []
        return ended

    def _listen(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._listening = True

    def _accept(self) -> None:
        for _ in range(_BACKLOG):
            try:
                accepted, peer = self._listener.accept()
            except BlockingIOError:
                return
            except OSError:
                # No file descriptor is left, most likely: the next sweep tries again.
                self._selector.unregister(self._listener)
                self._listening = False
                return
            self._admit(_Connection(accepted, address.pack(*peer[:2], *peer[3:])))

    def _admit(self, connection: _Connection) -> None:
        if self._of_host[connection.host] >= self._most_unproven:
            self._refuse(connection)
            return
        if len(self._connections) >= self._most:
            if not self._strangers:
                self._refuse(connection)
                return
            self._refuse(next(iter(self._strangers.values())))
        try:
            connection.socket.setblocking(False)
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
            if sys.platform == "linux":
                connection.socket.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, _WAITING)
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        except OSError:
            connection.socket.close()
            return
        self._connections[connection.address] = self._strangers[connection.address] = connection
        self._of_host[connection.host] += 1

    def _known(self, connection: _Connection) -> None:
        """It is no stranger any more."""
        if self._strangers.pop(connection.address, None) is not None:
            self._of_host[connection.host] -= 1
            if not self._of_host[connection.host]:
                del self._of_host[connection.host]

    def _refuse(self, connection: _Connection) -> None:
        self.refused += 1
        self._end(connection)

    def _end(self, connection: _Connection) -> None:
        if self._connections.get(connection.address) is connection:
            del self._connections[connection.address]
            self._known(connection)
            self._selector.unregister(connection.socket)
            if connection.proven:
                self._ended.append(connection.address)
        connection.socket.close()


def _host(peer: Address) -> bytes:
    """What counts as one address: an IPv4 address, or the /64 that a site has of IPv6."""
    return peer[8:16] if len(peer) == address.SIZES[socket.AF_INET6] else peer[4:8]
