"""Ports on this machine: choosing free ones for the embedded servers."""

import contextlib
import os
import random
import socket
from collections import deque
from collections.abc import Collection, Iterator

# Below Linux's ephemeral range (32768 and up), so that no outgoing connection takes the port of a server that
# is being restarted; above the well-known ones; away from our own defaults.
EMBEDDED_PORTS = range(26000, 32000)
# A process has them by the block, and a block is its own until so many more have been used up: whoever has
# chosen a port may not listen on it yet, and another process would find it free.
BLOCK = 100
KEPT = 3


def is_free(port: int, *, host: str = "127.0.0.1", udp: bool = False) -> bool:
    """Whether a server could listen on `host:port` now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as probe:
        if not udp:
            # As servers do: a port in TIME_WAIT is free, one with a listener is not.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A free loopback TCP port that nothing takes by accident."""
    return free_ports(1)[0]


def free_row(count: int) -> int:
    """The first of so many in a row."""
    row = [free_port()]
    while len(row) < count:
        port = free_port()
        row = [*row, port] if port == row[-1] + 1 else [port]
    return row[0]


def free_ports(count: int, *, but_not: Collection[int] = ()) -> list[int]:
    """As many different ones, none of `but_not`: ports that somebody is about to listen on."""
    found = []
    for _ in EMBEDDED_PORTS:
        port = next(_ours)
        if port not in but_not and is_free(port):
            found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"There are no {count} free ports between {EMBEDDED_PORTS[0]} and {EMBEDDED_PORTS[-1]}.")


def _blocks() -> Iterator[int]:
    """One port after the other, of blocks that no other process has."""
    claims: deque[int] = deque()
    while True:
        first, claim = _claimed()
        if claim is not None:
            claims.append(claim)
        yield from range(first, first + BLOCK)
        while len(claims) > KEPT:
            os.close(claims.popleft())


def _claimed() -> tuple[int, int | None]:
    """A block's first port, and the socket by whose name others know that it is taken.

    The kernel forgets such a name with its process, and each network has names of its own. Elsewhere than on
    Linux there are none: any block will do.
    """
    # From the system, not from a generator that a test may have seeded: two processes must not choose alike.
    blocks = random.SystemRandom().sample(EMBEDDED_PORTS[::BLOCK], k=len(EMBEDDED_PORTS) // BLOCK)
    for first in blocks:
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as claim, contextlib.suppress(OSError):
            claim.bind(f"\0cwrkplanet-ports-{first}")
            return first, claim.detach()
    return blocks[0], None


_ours = _blocks()
