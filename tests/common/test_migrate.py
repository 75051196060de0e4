"""Migrations on a real PostgreSQL: once each, in order, whoever else starts at the same time."""

import asyncio
from pathlib import Path

import pytest

from common import database
from common.config import ConfigError
from common.migrate import migrate


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_notes.sql").write_text("CREATE TABLE notes (id int); INSERT INTO notes VALUES (1);")
    return tmp_path


async def test_each_file_is_applied_once_even_by_five_replicas_at_once(
    database_url: str, folder: Path
) -> None:
    async with database.connect(database_url) as db:
        await asyncio.gather(*(migrate(db, "demo", folder) for _ in range(5)))
        async with db.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM demo.notes") == 1
        (folder / "0002_more.sql").write_text("INSERT INTO notes VALUES (2)")
        await migrate(db, "demo", folder)
        await migrate(db, "demo", folder)
        async with db.connection() as connection:
            assert await connection.fetchval("SELECT array_agg(id ORDER BY id) FROM demo.notes") == [1, 2]


async def test_a_file_that_fails_leaves_nothing_behind(database_url: str, folder: Path) -> None:
    (folder / "0002_broken.sql").write_text("INSERT INTO notes VALUES (2); SELECT nonsense;")
    async with database.connect(database_url) as db:
        with pytest.raises(Exception, match="nonsense"):
            await migrate(db, "demo", folder)
        async with db.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM demo.notes") == 1


async def test_a_changed_file_and_a_newer_database_are_refused(database_url: str, folder: Path) -> None:
    async with database.connect(database_url) as db:
        await migrate(db, "demo", folder)
        applied = (folder / "0001_notes.sql").read_text()
        (folder / "0001_notes.sql").write_text("SELECT 1")
        with pytest.raises(ConfigError, match=r"demo/0001_notes.sql was changed"):
            await migrate(db, "demo", folder)
        (folder / "0001_notes.sql").write_text(applied)
        (folder / "0002_more.sql").write_text("SELECT 1")
        await migrate(db, "demo", folder)
        (folder / "0002_more.sql").unlink()
        with pytest.raises(ConfigError, match=r"is at migration 2, newer than this version"):
            await migrate(db, "demo", folder)


async def test_a_wrong_name_is_refused(database_url: str, folder: Path) -> None:
    (folder / "02_more.sql").write_text("SELECT 1")
    async with database.connect(database_url) as db:
        with pytest.raises(ConfigError, match=r"02_more.sql is no migration's name"):
            await migrate(db, "demo", folder)
