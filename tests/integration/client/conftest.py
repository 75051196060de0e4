"""People who use the client as anybody would, against the real chain."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeAlias

import pytest

from client import Client
from tests.integration.student import PASSWORD
from tests.services import Stack

NewClient: TypeAlias = Callable[[str], Awaitable[Client]]
_numbers = itertools.count(1)


@pytest.fixture
async def person(chain: Stack) -> AsyncIterator[NewClient]:
    """Registers people."""
    async with AsyncExitStack() as people:

        async def register(name: str) -> Client:
            client = await people.enter_async_context(Client(chain.url))
            await client.register(f"client{next(_numbers)}@example.org", name, PASSWORD)
            return client

        yield register
