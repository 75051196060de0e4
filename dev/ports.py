"""Ports on this machine: choosing free ones for the embedded servers."""

import random
import socket

# Below Linux's ephemeral range (32768 and up), so that no outgoing connection takes the port of a server that
# is being restarted; above the well-known ones; away from our own defaults.
EMBEDDED_PORTS = range(26000, 32000)


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
    for port in random.sample(EMBEDDED_PORTS, k=200):
        if is_free(port):
            return port
    raise OSError("200 ports tried between 26000 and 32000, and none was free.")
