"""The database lost and found again: a domain error in between, never a broken pool."""

import pytest

from common import database
from common.config import ConfigError
from common.errors import Unavailable
from tests import stack


async def test_a_killed_server_is_unavailable_and_found_again_without_a_restart() -> None:
    with stack.postgres() as server:
        async with database.connect(server.url()) as db:
            server.kill()
            with pytest.raises(Unavailable) as caught:
                async with db.connection() as connection:
                    await connection.fetchval("SELECT 1")
            assert caught.value.code == "DATABASE_UNAVAILABLE"
            server.start()
            async with db.transaction() as connection:
                assert await connection.fetchval("SELECT 1") == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("cwrkplanet:", "cwrkplanet:not-"), "refuses this user or password"),
        (("/postgres", "/nowhere"), "names a database that does not exist"),
        (("postgresql://", "nonsense://"), "cannot be read"),
        (("127.0.0.1:", "127.0.0.1:1000000"), "cannot be read"),
        (("127.0.0.1:", "127.0.0.1:1/postgres?unused="), "no PostgreSQL answers"),
    ],
)
async def test_a_database_url_that_cannot_work_is_a_sentence_without_the_password(
    postgres_url: str, change: tuple[str, str], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        async with database.connect(postgres_url.replace(*change), patience=0.1):
            pass
    password = postgres_url.split(":")[2].partition("@")[0]
    assert password not in str(caught.value)


async def test_a_transaction_that_says_nothing_more_gives_up_its_locks(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "IDLE_IN_TRANSACTION_SECONDS", 0.5)
    async with database.connect(database_url) as opened:
        async with opened.connection() as connection:
            await connection.execute("CREATE TABLE things AS SELECT 1 AS thing")

        async def say_nothing_until_somebody_else_has_the_lock() -> None:
            async with opened.transaction() as silent:
                await silent.execute("SELECT FROM things FOR UPDATE")
                async with opened.transaction() as other:
                    await other.execute("SELECT FROM things FOR UPDATE", timeout=60)
                await silent.execute("SELECT FROM things")

        with pytest.raises(Unavailable):
            await say_nothing_until_somebody_else_has_the_lock()


async def test_who_finds_every_connection_taken_waits_so_long_and_no_longer(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.connect(database_url, size=1) as opened:
        async with opened.connection():
            monkeypatch.setattr(database, "ACQUIRE_SECONDS", 0.05)
            with pytest.raises(Unavailable) as caught:
                await opened.ping()
            assert (caught.value.code, caught.value.retry_after) == ("DATABASE_UNAVAILABLE", 1.0)
        monkeypatch.undo()
        await opened.ping()
