"""Machines of a small network: each a network namespace of its own, on one switch. Wants Linux, and root.

A namespace has no name and no process: it lives as long as it is held open here, and nothing is left behind.
This process itself is at the switch, which has an address too.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

CLONE_NEWNET = 0x40000000
NOT_ALLOWED = 77  # the exit status of who wanted one and may not
SWITCH = "switch"
NETWORK = "10.78.0"
HERE = f"{NETWORK}.1"

_libc = ctypes.CDLL(None, use_errno=True)


class NotAllowed(Exception):
    """Namespaces cannot be made here; the message says what to do."""


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def leave() -> None:
    """This process, and what it starts, is in a network of its own from here on. Raises NotAllowed.

    Call it before there are threads.
    """
    try:
        _check(_libc.unshare(CLONE_NEWNET))
    except PermissionError:
        raise NotAllowed("Network namespaces want root: sudo make chaos.") from None
    if not (shutil.which("ip") and shutil.which("tc")):
        raise NotAllowed("Network namespaces want ip and tc: apt-get install iproute2.")
    _ip("link set lo up")
    _ip(f"link add {SWITCH} type bridge")
    _ip(f"addr add {HERE}/24 dev {SWITCH}")
    _ip(f"link set {SWITCH} up")


class Machine:
    """One of them, at `address`, with a cable to the switch."""

    def __init__(self, number: int) -> None:
        self.address = f"{NETWORK}.{number}"
        self._port = f"port{number}"
        with _in_thread_namespace() as here:
            _check(_libc.unshare(CLONE_NEWNET))
            self._namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            del here
        there = f"/proc/{os.getpid()}/fd/{self._namespace}"
        _ip(f"link add {self._port} type veth peer name eth0 netns {there}")
        _ip(f"link set {self._port} master {SWITCH} up")
        with self.inside():
            _ip("link set lo up")
            _ip(f"addr add {self.address}/24 dev eth0")
            _ip("link set eth0 up")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """What this thread opens and starts meanwhile is there. Nothing may be awaited."""
        with _in_thread_namespace():
            _check(_libc.setns(self._namespace, CLONE_NEWNET))
            yield

    def socket(self, address: tuple[object, ...]) -> socket.socket:
        """For aiohttp: an address as getaddrinfo gives it."""
        family, kind, protocol = address[:3]
        with self.inside():
            return socket.socket(family, kind, protocol)  # type: ignore[arg-type]  # as getaddrinfo gave them

    def cut(self) -> None:
        """Nothing reaches it or leaves it, and nobody is told."""
        _ip(f"link set {self._port} nomaster")

    def mend(self) -> None:
        """The cable is in again, and as quick as before."""
        _ip(f"link set {self._port} master {SWITCH}")
        for inside, device in ((False, self._port), (True, "eth0")):
            self._tc(inside, f"qdisc del dev {device} root", check=False)

    def slow(self, kbit: int, queue_ms: int) -> None:
        """So many kilobits a second in each direction; what waits longer than `queue_ms` is dropped."""
        for inside, device in ((False, self._port), (True, "eth0")):
            self._tc(
                inside, f"qdisc add dev {device} root tbf rate {kbit}kbit burst 8kb latency {queue_ms}ms"
            )

    def _tc(self, inside: bool, arguments: str, *, check: bool = True) -> None:
        if inside:
            with self.inside():
                _run(f"tc {arguments}", check=check)
        else:
            _run(f"tc {arguments}", check=check)


@contextmanager
def _in_thread_namespace() -> Iterator[int]:
    """Whatever this thread does to its namespace is undone."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield here
    finally:
        _check(_libc.setns(here, CLONE_NEWNET))
        os.close(here)


def _ip(arguments: str) -> None:
    _run(f"ip {arguments}", check=True)


def _run(command: str, *, check: bool) -> None:
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise OSError(f"{command}: {done.stderr.strip()}")
