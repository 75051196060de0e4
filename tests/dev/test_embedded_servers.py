"""The embedded PostgreSQL and Valkey: what a test, or `make run`, can count on."""

import asyncio
import os
import signal

import asyncpg
import pytest
import redis.asyncio

from dev.postgres import Postgres
from tests import stack


async def test_each_test_gets_an_empty_database(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    tables = await connection.fetchval(
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
    )
    await connection.close()
    assert tables == 0


async def test_the_core_functions_we_build_on_are_there(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    assert (await connection.fetchval("SELECT uuidv7()")).version == 7
    await connection.close()


async def test_a_database_goes_even_with_somebody_connected(postgres_server: Postgres) -> None:
    async with stack.fresh_database(postgres_server) as url:
        connection = await asyncpg.connect(url)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
        await connection.fetchval("SELECT 1")


async def test_loopback_alone_does_not_open_postgres(postgres_url: str, postgres_server: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres_url.replace(postgres_server.password, "guess"))


async def test_what_was_committed_survives_a_killed_postgres() -> None:
    with stack.postgres() as server:
        connection = await asyncpg.connect(server.url())
        await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        server.kill()
        server.start()
        connection = await asyncpg.connect(server.url())
        assert await connection.fetchval("SELECT one FROM kept") == 1
        await connection.close()


async def test_a_postgres_is_killed_when_the_last_of_its_processes_has_gone() -> None:
    with stack.postgres() as server:
        connection = await asyncpg.connect(server.url())
        backend = connection.get_server_pid()
        os.kill(backend, signal.SIGSTOP)
        killed = asyncio.create_task(asyncio.to_thread(server.kill))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(killed), 0.2)
        os.kill(backend, signal.SIGCONT)
        await killed
        connection.terminate()


async def test_valkey_comes_back_empty_under_the_same_address() -> None:
    with stack.valkey() as server:
        async with redis.asyncio.from_url(server.url) as client:
            await client.set("key", "value")
        server.kill()
        server.start()
        async with redis.asyncio.from_url(server.url) as client:
            assert await client.get("key") is None
