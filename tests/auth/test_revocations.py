"""Revocations as gateway and rooms hear them: real PostgreSQL, real gRPC, several replicas of auth."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from auth import revocations
from auth.attempts import Attempts
from auth.retention import Retention
from auth.revocation_feed import Feed
from common import database, rpc
from common.errors import Internal, Unauthenticated
from common.revocations import Ended, watch
from common.tokens import LIFETIME_SECONDS
from proto import auth_pb2
from tests.auth.running import PASSWORD, Caller, running_auth

SOON = 1.0
PATIENCE = 10.0
REGISTER = auth_pb2.RegisterRequest(email="ann@example.org", display_name="Ann", password=PASSWORD)


class Ear:
    """One stream, read in the background."""

    def __init__(self, client: rpc.Client, after_id: int, deletions_only: bool) -> None:
        self.heard: asyncio.Queue[Ended | None] = asyncio.Queue()
        self._stream = watch(client, after_id, deletions_only=deletions_only)

    async def listen(self) -> None:
        async for told in self._stream:
            self.heard.put_nowait(told)

    async def next(self, within: float = PATIENCE) -> Ended | None:
        return await asyncio.wait_for(self.heard.get(), within)

    async def until_caught_up(self) -> list[Ended]:
        told = []
        while (ended := await self.next()) is not None:
            told.append(ended)
        return told


@contextlib.asynccontextmanager
async def ear(auth: Caller, after_id: int = 0, *, deletions_only: bool = False) -> AsyncIterator[Ear]:
    async with rpc.connect(auth.address, "auth", "") as client:
        listener = Ear(client, after_id, deletions_only)
        listening = asyncio.create_task(listener.listen())
        try:
            yield listener
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


@pytest.fixture
async def db(auth_database: str) -> AsyncIterator[database.Database]:
    async with database.connect(auth_database) as connected:
        async with connected.connection() as connection:
            await connection.execute("TRUNCATE auth.revocations")
        yield connected


async def end(db: database.Database, session_id: UUID, at: datetime | None = None) -> None:
    async with db.transaction() as connection:
        await revocations.add_session(connection, session_id, at or datetime.now(UTC))


async def delete(db: database.Database, user_id: int, at: datetime) -> None:
    async with db.transaction() as connection:
        await revocations.add_deletion(connection, user_id, at)


@pytest.mark.usefixtures("db")
async def test_first_what_was_then_what_comes(auth: Caller) -> None:
    first = await auth.call(auth.stub.Register, REGISTER)
    await auth.call(auth.stub.Logout, auth_pb2.LogoutRequest(), user_token=first.tokens.access_token)
    async with ear(auth) as gateway:
        (before,) = await gateway.until_caught_up()
        assert before.session_id
        again = await auth.call(
            auth.stub.Login, auth_pb2.LoginRequest(email="ann@example.org", password=PASSWORD)
        )
        await auth.call(auth.stub.Logout, auth_pb2.LogoutRequest(), user_token=again.tokens.access_token)
        after = await gateway.next(SOON)
        assert after is not None
        assert after.id > before.id
        assert after.session_id not in ("", before.session_id)


@pytest.mark.usefixtures("db")
async def test_a_replayed_refresh_token_is_told_though_its_call_failed(auth: Caller) -> None:
    token = (await auth.call(auth.stub.Register, REGISTER)).tokens.refresh_token
    async with ear(auth) as gateway:
        assert await gateway.until_caught_up() == []
        again = token
        for _ in range(2):
            request = auth_pb2.RefreshRequest(refresh_token=again)
            again = (await auth.call(auth.stub.Refresh, request)).refresh_token
        with pytest.raises(Unauthenticated) as refused:
            await auth.call(auth.stub.Refresh, auth_pb2.RefreshRequest(refresh_token=token))
        assert refused.value.code == "REFRESH_TOKEN_REUSED"
        told = await gateway.next(SOON)
        assert told is not None
        assert told.session_id


async def test_what_one_replica_ends_the_watchers_of_the_other_hear(
    auth_database: str, keys_dir: Path, db: database.Database
) -> None:
    async with (
        running_auth(auth_database, keys_dir) as one,
        running_auth(auth_database, keys_dir) as other,
        ear(other) as gateway,
    ):
        session = await one.call(one.stub.Register, REGISTER)
        await gateway.until_caught_up()
        await one.call(one.stub.Logout, auth_pb2.LogoutRequest(), user_token=session.tokens.access_token)
        assert await gateway.next(SOON)


async def test_who_comes_again_goes_on_where_it_was(auth: Caller, db: database.Database) -> None:
    ids = [uuid4() for _ in range(3)]
    for session_id in ids:
        await end(db, session_id)
    async with ear(auth) as first:
        told = await first.until_caught_up()
    assert [ended.session_id for ended in told] == [str(session_id) for session_id in ids]
    async with ear(auth, told[1].id) as second:
        assert await second.until_caught_up() == told[2:]


async def test_a_number_from_before_a_backup_was_restored_is_started_anew(
    auth: Caller, db: database.Database
) -> None:
    await end(db, uuid4())
    async with ear(auth, 10**9) as gateway:
        assert len(await gateway.until_caught_up()) == 1


async def test_those_whose_tokens_are_over_are_left_out_but_deletions_can_be_had(
    auth: Caller, db: database.Database
) -> None:
    over = datetime.now(UTC) - timedelta(seconds=LIFETIME_SECONDS) - timedelta(minutes=5)
    await delete(db, 7, over)
    await end(db, uuid4(), over)
    await delete(db, 8, datetime.now(UTC))
    async with ear(auth) as gateway:
        assert [(ended.user_id, ended.deleted) for ended in await gateway.until_caught_up()] == [(8, True)]
    async with ear(auth, deletions_only=True) as rooms:
        assert [ended.user_id for ended in await rooms.until_caught_up()] == [7, 8]
        await end(db, uuid4())
        await delete(db, 9, datetime.now(UTC))
        last = await rooms.next(SOON)
        assert last is not None
        assert last.user_id == 9


async def test_they_are_forgotten_when_their_tokens_are_over_but_for_deletions(db: database.Database) -> None:
    over = datetime.now(UTC) - timedelta(seconds=LIFETIME_SECONDS) - timedelta(minutes=5)
    kept = uuid4()
    await end(db, uuid4(), over)
    await end(db, kept)
    await delete(db, 7, over)
    await Retention(db, Attempts(db), None).sweep()
    async with db.connection() as connection:
        rows = await connection.fetch("SELECT session_id, deleted_user_id FROM auth.revocations ORDER BY id")
    assert [tuple(row) for row in rows] == [(kept, None), (None, 7)]


async def test_ids_are_committed_in_their_order(auth_database: str, db: database.Database) -> None:
    """A later one waits until an earlier one is committed: who goes on after an id has missed none."""
    first = await asyncpg.connect(auth_database)
    transaction = first.transaction()
    await transaction.start()
    await revocations.add_session(first, uuid4(), datetime.now(UTC))
    second = asyncio.create_task(end(db, uuid4()))
    async with db.connection() as connection, asyncio.timeout(PATIENCE):
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not await connection.fetchval(waiting):
            assert not second.done()
        assert await connection.fetchval("SELECT count(*) FROM auth.revocations") == 0
    await transaction.commit()
    await second
    await first.close()


async def test_a_notice_that_is_lost_costs_a_poll(auth_database: str, db: database.Database) -> None:
    """Nobody listens (`run` does not run): the poll finds it."""
    feed = Feed(db, auth_database, poll=0.1)
    stream = feed.watch(0)
    assert await anext(stream) is None
    session_id = uuid4()
    await end(db, session_id)
    told = await asyncio.wait_for(anext(stream), PATIENCE)
    assert told is not None
    assert told.session_id == session_id
    await stream.aclose()


async def test_the_notice_comes_long_before_the_poll(auth_database: str, db: database.Database) -> None:
    feed = Feed(db, auth_database, poll=60)
    listening = asyncio.create_task(feed.run())
    stream = feed.watch(0)
    try:
        assert await anext(stream) is None
        async with db.connection() as connection, asyncio.timeout(PATIENCE):
            listens = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"
            while not await connection.fetchval(listens + " AND datname = current_database()"):
                pass
        await end(db, uuid4())
        assert await asyncio.wait_for(anext(stream), SOON)
    finally:
        await stream.aclose()
        listening.cancel()


async def test_a_stopping_auth_does_not_wait_for_its_watchers(auth_database: str, keys_dir: Path) -> None:
    service = contextlib.AsyncExitStack()
    auth = await service.enter_async_context(running_auth(auth_database, keys_dir))
    async with ear(auth) as gateway:
        await gateway.until_caught_up()
        stopping = asyncio.get_running_loop().time()
        await service.aclose()
        assert asyncio.get_running_loop().time() - stopping < 3  # rpc's own grace


async def test_without_the_services_secret_nobody_listens(auth_database: str, keys_dir: Path) -> None:
    async with (
        running_auth(auth_database, keys_dir, service_token="ours") as auth,
        rpc.connect(auth.address, "auth", "theirs") as stranger,
    ):
        with pytest.raises(Internal) as refused:
            await anext(watch(stranger, 0))
        assert refused.value.code == "SERVICE_TOKEN_INVALID"
