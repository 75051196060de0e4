"""UDP addresses as the kernel writes them: a sockaddr as bytes, which is compared, hashed and handed back
without being taken apart for each packet. Pure."""

from __future__ import annotations

import socket
import struct
from typing import Final, NamedTuple

Address = bytes

SIZES: Final = {socket.AF_INET: 16, socket.AF_INET6: 28}


class Path(NamedTuple):
    """A way to a participant: the index of our socket, and the address there."""

    socket: int
    address: Address


def pack(host: str, port: int, scope: int = 0) -> Address:
    """The sockaddr of a numeric host."""
    if ":" in host:
        head = struct.pack("=H", socket.AF_INET6) + struct.pack(">HI", port, 0)
        return head + socket.inet_pton(socket.AF_INET6, host.partition("%")[0]) + struct.pack("=I", scope)
    return (
        struct.pack("=H", socket.AF_INET)
        + struct.pack(">H", port)
        + socket.inet_pton(socket.AF_INET, host)
        + bytes(8)
    )


def unpack(address: Address) -> tuple[str, int]:
    """The (host, port) of a sockaddr."""
    (port,) = struct.unpack_from(">H", address, 2)
    if len(address) == SIZES[socket.AF_INET6]:
        return socket.inet_ntop(socket.AF_INET6, address[8:24]), port
    return socket.inet_ntop(socket.AF_INET, address[4:8]), port
