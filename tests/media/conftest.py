"""A worker on loopback, and plain WebRTC clients (aiortc's own) that talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aioice import ice

from media.datagrams import DatagramSocket
from media.worker import Worker


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    """A running worker on a free port of 127.0.0.1."""
    running = Worker([DatagramSocket("127.0.0.1", 0)])
    async with running.running():
        yield running


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice leaves loopback out when it looks for the machine's addresses; here there is nothing else."""
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
