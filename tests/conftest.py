"""Fixtures every test may ask for: real PostgreSQL and Valkey, started when the first test wants them."""

import os
import signal
from collections.abc import AsyncIterator, Iterator

# Tests fork only to start another program. gRPC's fork handlers, which would let a child go on with gRPC,
# get in the way of that now and then. Read when gRPC is imported.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

import hypothesis
import pytest
import redis.asyncio

from dev.postgres import Postgres
from dev.valkey import Valkey
from tests import stack

# An example that takes long on a busy machine is no finding.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """A test that was ended for its time gets as much to clear up: pytest-timeout's clock rings but once."""

    def ended(*_: object) -> None:
        pytest.fail("Timeout while clearing up")

    if signal.getitimer(signal.ITIMER_REAL)[0] == 0:
        signal.signal(signal.SIGALRM, ended)
        signal.setitimer(signal.ITIMER_REAL, float(item.config.getini("timeout")))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The session's PostgreSQL. A test that stops it asks `stack.postgres()` for one of its own instead."""
    with stack.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Postgres) -> str:
    """The session's PostgreSQL, as its administrator."""
    return postgres_server.url()


@pytest.fixture
async def database_url(postgres_server: Postgres) -> AsyncIterator[str]:
    """An empty database of the test's own."""
    async with stack.fresh_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    """The session's Valkey. A test that stops it asks `stack.valkey()` for one of its own instead."""
    with stack.valkey() as server:
        yield server


@pytest.fixture
async def redis_url(valkey_server: Valkey) -> str:
    """An empty Redis, shared with no other test while this one runs."""
    async with redis.asyncio.from_url(valkey_server.url) as client:
        await client.flushall()
    return valkey_server.url
