"""The real chain, and people who use the client as anybody would."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import TypeAlias

import pytest

from client import Client
from tests import services

PASSWORD = "an orbit of its own"
NewClient: TypeAlias = Callable[[str], Awaitable[Client]]
_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def chain() -> Iterator[services.Stack]:
    """Shared by the tests of this folder: whoever kills a part of it waits until that is back."""
    with services.running(passwords=(PASSWORD,)) as running:
        yield running


@pytest.fixture
async def person(chain: services.Stack) -> AsyncIterator[NewClient]:
    """Registers people."""
    async with AsyncExitStack() as people:

        async def register(name: str) -> Client:
            client = await people.enter_async_context(Client(chain.url))
            await client.register(f"client{next(_numbers)}@example.org", name, PASSWORD)
            return client

        yield register
