"""Fixtures of auth's tests."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auth import keys
from auth.accounts import Accounts
from auth.passwords import Passwords
from auth.serve import MIGRATIONS
from auth.sessions import Limits, RefreshTokens
from auth.store import PostgresStore
from auth.tokens import Signer
from common import database
from common.migrate import migrate
from tests.auth.running import COST, Caller, running_auth


class Clock:
    """The time, which passes when a test says so."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, time: timedelta) -> None:
        self.now += time


@dataclass
class Rules:
    """Accounts over a real store, and what stands around them."""

    accounts: Accounts
    clock: Clock
    database: database.Database
    refresh_tokens: RefreshTokens


@pytest.fixture(scope="session")
def keys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One set of keys for the session: making an RSA key takes a while."""
    folder = tmp_path_factory.mktemp("keys", numbered=True)
    keys.open_ring(folder)
    return folder


@pytest.fixture(scope="session")
def ring(keys_dir: Path) -> keys.KeyRing:
    return keys.open_ring(keys_dir)


@pytest.fixture
async def rules(database_url: str, ring: keys.KeyRing) -> AsyncIterator[Rules]:
    clock = Clock()
    refresh_tokens = RefreshTokens(ring.refresh_secret)
    async with (
        database.connect(database_url) as db,
        Passwords(cost=COST, threads=2, queue=100) as passwords,
    ):
        await migrate(db, "auth", MIGRATIONS)
        accounts = Accounts(
            PostgresStore(db),
            passwords,
            Signer(ring),
            refresh_tokens,
            Limits(idle=timedelta(days=30), absolute=timedelta(days=180)),
            now=clock,
        )
        yield Rules(accounts, clock, db, refresh_tokens)


@pytest.fixture
async def auth(database_url: str, keys_dir: Path) -> AsyncIterator[Caller]:
    """The running service."""
    async with running_auth(database_url, keys_dir) as caller:
        yield caller
