"""A worker on loopback, and plain WebRTC clients (aiortc's own) that talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aioice import ice

from media.datagrams import DatagramSocket
from media.packet_loop import MakeLoop
from media.worker import Worker
from tests.media.ends import LOOPS


@pytest.fixture(params=LOOPS)
def packet_loop(request: pytest.FixtureRequest) -> MakeLoop:
    """Each of the packet loops that there are."""
    made: MakeLoop = LOOPS[request.param]
    return made


@pytest.fixture
async def worker(packet_loop: MakeLoop) -> AsyncIterator[Worker]:
    """A running worker on a free port of 127.0.0.1."""
    running = Worker([DatagramSocket("127.0.0.1", 0)], packet_loop=packet_loop)
    async with running.running():
        yield running


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice leaves loopback out when it looks for the machine's addresses; here there is nothing else."""
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
