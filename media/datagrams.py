"""UDP sockets that move many datagrams a system call.

Packets wait in preallocated memory (`Inbox`, `Outbox`) in the very form that Linux's recvmmsg and sendmmsg
want, and libsrtp works on them where they are: the lengths it reads and updates are the kernel's own
fields. Where those calls are missing (another system than 64-bit little-endian Linux), the same memory is
filled and emptied datagram by datagram.

The layout, in 64-bit words. A mmsghdr: 0 the address, 1 its size, 2 the iovec, 3 how many of those,
4 and 5 control data, 6 flags, 7 the octets received or sent. An iovec: 0 the memory, 1 its size.
"""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator
from typing import Any, Final, Protocol

from cffi import FFI  # type: ignore[import-untyped]  # ships no types

from media import address
from media.address import Address

#: Octets a datagram may have; a longer one is cut off, and so fails its authentication.
STRIDE: Final = 2048
#: Datagrams taken in by one call.
INBOX: Final = 64
#: Datagrams sent by one call. Full: it is sent at once.
OUTBOX: Final = 256

_HEADER_WORDS: Final = 8
_NAME: Final = 32

_ffi: Final = FFI()
_ffi.cdef(
    "int recvmmsg(int, void *, unsigned int, int, void *);int sendmmsg(int, void *, unsigned int, int);"
)
_libc: Final = _ffi.dlopen(None)

BATCHED: Final = (
    sys.platform == "linux"
    and sys.byteorder == "little"
    and _ffi.sizeof("void *") == 8
    and hasattr(_libc, "sendmmsg")
    and hasattr(_libc, "recvmmsg")
)
_LOW_HALF: Final = 0 if sys.byteorder == "little" else 4


class _Arena:
    """Memory that does not move, with its address."""

    __slots__ = ("_pinned", "memory", "pointer", "words")

    def __init__(self, size: int) -> None:
        self.memory = bytearray(size)
        self._pinned = _ffi.from_buffer(self.memory)
        self.pointer = int(_ffi.cast("uintptr_t", self._pinned))
        self.words = memoryview(self.memory).cast("Q")

    def char(self, offset: int) -> Any:
        return _ffi.cast("char *", self.pointer + offset)

    def integer(self, word: int) -> Any:
        """An int pointer to the low half of a 64-bit word."""
        return _ffi.cast("int *", self.pointer + 8 * word + _LOW_HALF)


class Target:
    """An address to send to, in the form of the kernel; `pointer` holds while the Target lives."""

    __slots__ = ("_arena", "address", "pointer")

    def __init__(self, to: Address) -> None:
        self.address = to
        self._arena = _Arena(_NAME)
        self._arena.memory[: len(to)] = to
        self.pointer = self._arena.pointer


class _Messages:
    """`count` message headers with one iovec and STRIDE octets each."""

    __slots__ = ("buffer", "headers", "iovecs", "payloads", "pointers")

    def __init__(self, count: int, name_size: int) -> None:
        self.payloads = _Arena(count * STRIDE)
        self.iovecs = _Arena(count * 16)
        self.headers = _Arena(count * _HEADER_WORDS * 8)
        self.buffer = self.payloads.memory
        #: Where each datagram starts, for libsrtp.
        self.pointers = [self.payloads.char(i * STRIDE) for i in range(count)]
        for i in range(count):
            self.iovecs.words[2 * i] = self.payloads.pointer + i * STRIDE
            self.headers.words[_HEADER_WORDS * i + 1] = name_size
            self.headers.words[_HEADER_WORDS * i + 2] = self.iovecs.pointer + 16 * i
            self.headers.words[_HEADER_WORDS * i + 3] = 1


class Inbox(_Messages):
    """Datagrams as they were received; the i-th starts at octet i * STRIDE of `buffer`.

    `sizes[i]` is its length, which `lengths[i]` points to.
    """

    __slots__ = ("_names", "lengths", "name_size", "sizes")

    def __init__(self, name_size: int) -> None:
        super().__init__(INBOX, name_size)
        self.name_size = name_size
        self._names = _Arena(INBOX * _NAME)
        self.lengths = [self.headers.integer(_HEADER_WORDS * i + 7) for i in range(INBOX)]
        self.sizes = self.headers.words[7::_HEADER_WORDS]
        for i in range(INBOX):
            self.iovecs.words[2 * i + 1] = STRIDE
            self.headers.words[_HEADER_WORDS * i] = self._names.pointer + i * _NAME

    def source(self, i: int) -> Address:
        """Where the i-th datagram came from."""
        return bytes(self._names.memory[i * _NAME : i * _NAME + self.name_size])

    def put_source(self, i: int, source: Address) -> None:
        self._names.memory[i * _NAME : i * _NAME + len(source)] = source


class Outbox(_Messages):
    """Datagrams to be sent, `count` of them so far.

    A datagram is added by writing it at octet count * STRIDE of `buffer`, its length to
    `sizes[2 * count + 1]` (`lengths[count]` points there) and its Target's pointer to
    `targets[8 * count]`, and then counting it.
    """

    __slots__ = ("count", "lengths", "name_size", "sizes", "targets")

    def __init__(self, name_size: int) -> None:
        super().__init__(OUTBOX, name_size)
        self.name_size = name_size
        self.count = 0
        self.lengths = [self.iovecs.integer(2 * i + 1) for i in range(OUTBOX)]
        self.sizes = self.iovecs.words
        self.targets = self.headers.words

    def take(self) -> Iterator[tuple[Address, bytes]]:
        """The datagrams one by one; then it is empty."""
        count, self.count = self.count, 0
        for i in range(count):
            to = bytes(_ffi.buffer(_ffi.cast("char *", self.targets[_HEADER_WORDS * i]), self.name_size))
            yield to, bytes(self.buffer[i * STRIDE : i * STRIDE + self.sizes[2 * i + 1]])


class PacketSocket(Protocol):
    """Whatever datagrams come in and go out by."""

    fd: int
    host: str
    port: int
    inbox: Inbox
    outbox: Outbox
    unsent: int

    def receive(self) -> int:
        """Takes in what has arrived, at most INBOX datagrams, and says how many."""

    def flush(self) -> None:
        """Sends the outbox; what cannot be sent now is dropped and counted."""

    def send(self, to: Address, datagram: bytes) -> None:
        """Sends one datagram now, or drops it and counts it."""

    def close(self) -> None: ...


class DatagramSocket:
    """One UDP socket on one local address. Never blocks, and raises nothing once it is bound."""

    def __init__(self, host: str, port: int) -> None:
        """Binds; OSError when that cannot be."""
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(self.family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                self._socket.setsockopt(socket.SOL_SOCKET, option, 4 << 20)
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self.fd = self._socket.fileno()
        self.host, self.port = self._socket.getsockname()[:2]
        name_size = address.SIZES[self.family]
        self.inbox = Inbox(name_size)
        self.outbox = Outbox(name_size)
        #: Datagrams the kernel would not take: its buffer was full, or there is no way to the address.
        self.unsent = 0

    def close(self) -> None:
        self._socket.close()

    def receive(self) -> int:
        """Takes in what has arrived, at most INBOX datagrams, and says how many."""
        if BATCHED:
            count: int = _libc.recvmmsg(
                self.fd,
                _ffi.cast("void *", self.inbox.headers.pointer),
                INBOX,
                socket.MSG_DONTWAIT,
                _ffi.NULL,
            )
            return max(0, count)
        return self._receive_singly()

    def _receive_singly(self) -> int:
        view = memoryview(self.inbox.buffer)
        for i in range(INBOX):
            try:
                size, source = self._socket.recvfrom_into(view[i * STRIDE : (i + 1) * STRIDE])
            except OSError:
                return i
            self.inbox.sizes[i] = size
            self.inbox.put_source(i, address.pack(*source[:2], *source[3:]))
        return INBOX

    def flush(self) -> None:
        """Sends the outbox. What cannot be sent now is dropped and counted: a voice packet that waits is
        worth less than the next one."""
        if not BATCHED:
            for to, datagram in self.outbox.take():
                self.send(to, datagram)
            return
        count, self.outbox.count = self.outbox.count, 0
        sent = 0
        while sent < count:
            start = self.outbox.headers.pointer + sent * _HEADER_WORDS * 8
            done: int = _libc.sendmmsg(self.fd, _ffi.cast("void *", start), count - sent, socket.MSG_DONTWAIT)
            if done > 0:
                sent += done
            elif _ffi.errno in (errno.EAGAIN, errno.ENOBUFS):
                self.unsent += count - sent
                return
            elif _ffi.errno != errno.EINTR:
                # The first of them is the culprit: an address that cannot be reached. The others go on.
                self.unsent += 1
                sent += 1

    def send(self, to: Address, datagram: bytes) -> None:
        """Sends one datagram now."""
        try:
            self._socket.sendto(datagram, address.unpack(to))
        except OSError:
            self.unsent += 1
