"""Fixtures of auth's tests."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auth import keys
from auth.accounts import Accounts
from auth.attempts import Attempts
from auth.credentials import Credentials
from auth.own_account import OwnAccount
from auth.own_store import OwnStore
from auth.passwords import Passwords
from auth.rotation import LiveRing, Pace
from auth.sessions import Limits, RefreshTokens
from auth.store import PostgresStore
from auth.tokens import Signer
from common import database
from tests.auth.fixtures import auth, auth_database, keys_dir, migrated_database
from tests.auth.running import COST

__all__ = ["auth", "auth_database", "keys_dir", "migrated_database"]


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
    own: OwnAccount
    clock: Clock
    database: database.Database
    refresh_tokens: RefreshTokens


@pytest.fixture(scope="session")
def ring(keys_dir: Path) -> LiveRing:
    return LiveRing(keys_dir, keys.open_ring(keys_dir), Pace())


@pytest.fixture
async def rules(auth_database: str, ring: LiveRing) -> AsyncIterator[Rules]:
    clock = Clock()
    refresh_tokens = RefreshTokens(ring.refresh_secret)
    async with (
        database.connect(auth_database) as db,
        Passwords(cost=COST, threads=2, queue=100) as passwords,
    ):
        store = PostgresStore(db)
        credentials = Credentials(store, passwords, Attempts(db, now=clock))
        accounts = Accounts(
            store,
            credentials,
            Signer(ring),
            refresh_tokens,
            Limits(idle=timedelta(days=30), absolute=timedelta(days=180)),
            now=clock,
        )
        own = OwnAccount(store, OwnStore(db), credentials, now=clock)
        yield Rules(accounts, own, clock, db, refresh_tokens)
