"""A network between browsers and the worker that a test can break: UDP passed on, one socket a client."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import TypeAlias

Address: TypeAlias = tuple[str, int]


class Relay:
    """What clients send to `port` of `host` goes to the worker's port there, and back."""

    def __init__(self, host: str, worker_port: int) -> None:
        self._worker = (host, worker_port)
        self._front = self._open(host, self._from_client)
        self.port = int(self._front.getsockname()[1])
        self._behind: dict[Address, socket.socket] = {}
        self._dead: set[Address] = set()

    def _open(self, host: str, readable: Callable[..., None], *arguments: Address) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setblocking(False)
        opened.bind((host, 0))
        asyncio.get_running_loop().add_reader(opened, readable, *arguments)
        return opened

    def _from_client(self) -> None:
        with contextlib.suppress(OSError):
            data, client = self._front.recvfrom(2048)
            if client in self._dead:
                return
            if client not in self._behind:
                self._behind[client] = self._open(self._worker[0], self._to_client, client)
            self._behind[client].sendto(data, self._worker)

    def _to_client(self, client: Address) -> None:
        with contextlib.suppress(OSError):
            data = self._behind[client].recv(2048)
            if client not in self._dead:
                self._front.sendto(data, client)

    def kill(self) -> None:
        """Nothing gets through any more to or from those that came so far; others may come."""
        self._dead |= self._behind.keys()

    def close(self) -> None:
        for opened in (self._front, *self._behind.values()):
            asyncio.get_running_loop().remove_reader(opened)
            opened.close()
