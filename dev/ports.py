"""Ports on this machine: choosing free ones for the embedded servers."""

import random
import socket
from collections.abc import Collection

# Below Linux's ephemeral range (32768 and up), so that no outgoing connection takes the port of a server that
# is being restarted; above the well-known ones; away from our own defaults.
EMBEDDED_PORTS = range(26000, 32000)

_given: set[int] = set()


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
    """The first of so many in a row, that are free for TCP and given to nobody else."""
    while True:
        row = range(first := free_port(), first + count)
        if not _given.intersection(row[1:]) and all(map(is_free, row)):
            _given.update(row)
            return first


def free_ports(count: int, *, but_not: Collection[int] = ()) -> list[int]:
    """As many different ones, none of `but_not`: ports that somebody is about to listen on.

    Nor any that this process was given before: whoever has that may not listen on it yet.
    """
    if len(_given) + count > len(EMBEDDED_PORTS) // 2:
        _given.clear()
    found = []
    # From the system, not from a generator that a test may have seeded: two processes must not choose alike.
    for port in random.SystemRandom().sample(EMBEDDED_PORTS, k=len(EMBEDDED_PORTS)):
        if port not in but_not and port not in _given and is_free(port):
            found.append(port)
            if len(found) == count:
                _given.update(found)
                return found
    raise OSError(f"There are no {count} free ports between {EMBEDDED_PORTS[0]} and {EMBEDDED_PORTS[-1]}.")
