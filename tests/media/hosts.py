"""The loopback addresses of this machine: one that has no IPv6 has no ::1."""

import socket


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


HOSTS = ["127.0.0.1", "::1"] if _has_ipv6() else ["127.0.0.1"]
