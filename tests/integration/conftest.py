"""The real chain: PostgreSQL, Valkey and the four services as processes, over loopback."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import TypeAlias

import pytest

from tests import services
from tests.integration.student import PASSWORD, Student

NewStudent: TypeAlias = Callable[[str], Awaitable[Student]]


@pytest.fixture(scope="package")
def chain() -> Iterator[services.Stack]:
    """Shared by the tests of this folder: whoever kills a part of it waits until that is back."""
    with services.running(passwords=(PASSWORD,)) as running:
        yield running


@pytest.fixture
async def student(chain: services.Stack) -> AsyncIterator[NewStudent]:
    """Registers people."""
    async with AsyncExitStack() as people:

        async def register(name: str) -> Student:
            return await people.enter_async_context(Student.registered(chain.url, chain.ws_url, name))

        yield register
