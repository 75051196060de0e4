"""The auth service, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from prometheus_client import Metric

from auth import keys
from auth.accounts import Accounts
from auth.attempts import Attempts
from auth.config import Config
from auth.credentials import Credentials
from auth.leaving import Leaving
from auth.mail_tokens import MailTokens
from auth.outbox import outbox
from auth.own_account import OwnAccount
from auth.own_store import OwnStore
from auth.passwords import Passwords
from auth.recovery import Recovery
from auth.registration import Registration
from auth.retention import Retention
from auth.revocation_feed import Feed
from auth.rotation import LiveRing, Pace
from auth.service import NAME, Service
from auth.sessions import Limits, RefreshTokens
from auth.store import PostgresStore
from auth.tokens import Signer
from common import database, metrics, rpc
from common.lifecycle import background
from common.migrate import migrate
from common.readiness import Part
from proto import auth_pb2_grpc

MIGRATIONS = Path(__file__).parent / "migrations"


@asynccontextmanager
async def serve(config: Config) -> AsyncIterator[rpc.Server]:
    """Entered, auth answers on the port it yields; left, running calls have ended."""
    page = metrics.Page("auth")
    folder = Path(config.keys_dir)
    ring = LiveRing(
        folder,
        await asyncio.to_thread(keys.open_ring, folder),
        Pace(timedelta(seconds=config.key_refetch_seconds)),
    )
    async with (
        database.connect(config.database_url, size=config.database_connections) as db,
        Passwords(
            cost=config.bcrypt_cost, threads=config.password_threads, queue=config.password_queue
        ) as passwords,
    ):
        page.reads(lambda: figures(db, passwords))
        page.shows(passwords.seconds)
        await migrate(db, "auth", MIGRATIONS)
        parts = (Part("database", db.ping, needed=True),)
        store = PostgresStore(db)
        attempts = Attempts(db, registrations=config.registrations_address)
        credentials = Credentials(store, passwords, attempts)
        accounts = Accounts(
            store,
            credentials,
            Signer(ring),
            RefreshTokens(ring.refresh_secret),
            Limits(
                idle=timedelta(days=config.session_idle_days),
                absolute=timedelta(days=config.session_max_days),
            ),
            registration=Registration(config.registration),
        )
        own = OwnAccount(store, OwnStore(db), credentials)
        feed = Feed(db, config.database_url)
        keep = timedelta(days=config.session_retention_days) if config.session_retention_days else None
        retention = Retention(db, attempts, keep)
        async with (
            outbox(config, page) as post,
            Recovery(MailTokens(db), credentials, attempts, post, config.public_url) as recovery,
            background(ring.run, "auth.keys"),
            background(feed.run, "auth.revocations"),
            background(retention.run, "auth.retention"),
            metrics.serve(config.metrics_listen, page, parts),
        ):
            service = Service(
                accounts, own, feed, ring, recovery=recovery, leaving=Leaving(db, accounts, credentials)
            )
            async with rpc.serve(
                config.listen,
                variable="AUTH_LISTEN",
                service_token=config.service_token,
                names=[NAME],
                parts=parts,
                page=page,
                register=lambda server: auth_pb2_grpc.add_AuthServicer_to_server(service, server),
            ) as server:
                try:
                    yield server
                finally:
                    feed.close()  # streams end when they are told to


def figures(db: database.Database, passwords: Passwords) -> Iterable[Metric]:
    yield from metrics.pools(accounts=db)
    yield metrics.gauge(
        "cwrk_auth_passwords_waiting", "Passwords that are being hashed or wait for it.", passwords.waiting
    )
    yield metrics.gauge(
        "cwrk_auth_passwords_max", "So many there may be: the next is told to come back.", passwords.places
    )
