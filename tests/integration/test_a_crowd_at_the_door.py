"""Hundreds who come while a service has no time wait at its door; the kernel turns nobody away."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.services import Stack

#: More than aiohttp would let wait by itself, and than a Linux of before 5.4.
CROWD = 300
PATIENCE = 10.0


@pytest.mark.parametrize("name", ["gateway", "rooms"])
async def test_a_crowd_waits(chain: Stack, name: str) -> None:
    at = urlsplit({"gateway": chain.url, "rooms": chain.ws_url}[name])
    with ExitStack() as opened:
        chain.hang(name)
        opened.callback(chain.wake, name)
        async with asyncio.timeout(PATIENCE):
            for _ in range(CROWD):
                _, writer = await asyncio.open_connection(at.hostname, at.port)
                opened.callback(writer.close)
