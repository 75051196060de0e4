"""Fixtures that the tests of auth and of the gateway share."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from auth import keys
from auth.serve import MIGRATIONS
from common import database
from common.migrate import migrate
from dev.postgres import Postgres
from tests import stack
from tests.auth.running import Caller, running_auth


@pytest.fixture(scope="session")
def keys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One set of keys for the session: making an RSA key takes a while."""
    folder = tmp_path_factory.mktemp("keys", numbered=True)
    keys.open_ring(folder)
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated_database(postgres_server: Postgres) -> AsyncIterator[str]:
    """A database with auth's schema, for the session: making one takes longer than most tests."""
    async with stack.fresh_database(postgres_server) as url:
        async with database.connect(url) as db:
            await migrate(db, "auth", MIGRATIONS)
        yield url


@pytest.fixture
async def auth_database(migrated_database: str) -> str:
    """The URL of a database where nobody has an account yet."""
    connection = await asyncpg.connect(migrated_database)
    await connection.execute(
        "TRUNCATE auth.accounts, auth.attempts, auth.invites, auth.revocations RESTART IDENTITY CASCADE;"
        "UPDATE auth.installation SET claimed = false"
    )
    await connection.close()
    return migrated_database


@pytest.fixture
async def auth(auth_database: str, keys_dir: Path) -> AsyncIterator[Caller]:
    """The running service."""
    async with running_auth(auth_database, keys_dir) as caller:
        yield caller
