"""A rooms service with real PostgreSQL, gRPC and websockets."""

from collections.abc import AsyncIterator

import pytest

from tests.rooms import kit


@pytest.fixture
async def stack(database_url: str) -> AsyncIterator[kit.Stack]:
    """The neighbours; the test starts replicas as it wants them."""
    async with kit.neighbours(database_url) as running:
        yield running


@pytest.fixture
async def rooms(stack: kit.Stack) -> kit.Rooms:
    """One replica, without Redis."""
    return await stack.start()
