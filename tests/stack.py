"""Real servers for tests: a PostgreSQL and a Valkey each pytest process has to itself."""

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg

from dev.postgres import FAST, Postgres
from dev.valkey import Valkey


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder outside the checkout that PostgreSQL reaches too when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="cwrkplanet-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A fresh PostgreSQL, quick rather than durable. A test may stop, start and kill it."""
    with scratch_folder() as folder, Postgres(folder, settings=FAST) as server:
        yield server


@contextlib.contextmanager
def valkey() -> Iterator[Valkey]:
    """A fresh Valkey. A test may stop, start and kill it."""
    with scratch_folder() as folder, Valkey(folder) as server:
        yield server


@contextlib.asynccontextmanager
async def fresh_database(server: Postgres) -> AsyncIterator[str]:
    """The URL of an empty database that is gone afterwards, whoever is still connected to it."""
    name = f"test_{uuid4().hex}"
    admin = await asyncpg.connect(server.url())
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 STRATEGY FILE_COPY')
        yield server.url(name)
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()
