"""SQL migrations: `0001_name.sql`, `0002_…` in a folder, applied once each, in order.

Every service has a schema of its own in the one database, and a table
`migrations` in it. Replicas starting together take turns by an advisory lock.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from pathlib import Path

from common import log
from common.config import ConfigError
from common.database import Database

logger = log.get("migrate")

NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


async def migrate(database: Database, schema: str, folder: Path) -> None:
    """Bring `schema` up to the newest file in `folder`.

    Each file runs in a transaction of its own, with `search_path` set to the schema.
    Raises ConfigError when the database is newer than the code, or when a file
    that has been applied was changed since.
    """
    files = await asyncio.to_thread(_read, folder)
    lock = int.from_bytes(hashlib.sha256(schema.encode()).digest()[:8], signed=True)
    async with database.connection() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", lock, timeout=60)
        try:
            await connection.execute(
                f"CREATE SCHEMA IF NOT EXISTS {schema};"
                f"CREATE TABLE IF NOT EXISTS {schema}.migrations ("
                "  version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,"
                "  applied_at timestamptz NOT NULL DEFAULT now())"
            )
            rows = await connection.fetch(f"SELECT version, sha256 FROM {schema}.migrations")  # noqa: S608  # our own name
            applied: dict[int, str] = {row["version"]: row["sha256"] for row in rows}
            if unknown := sorted(applied.keys() - files.keys()):
                raise ConfigError(
                    f"The database's {schema} is at migration {unknown[-1]}, newer than this version "
                    "of the program. Run the newer version, or restore an older backup."
                )
            for version, (name, sql) in sorted(files.items()):
                digest = hashlib.sha256(sql.encode()).hexdigest()
                if version in applied:
                    if applied[version] != digest:
                        raise ConfigError(
                            f"{schema}/{name} was changed after it was applied; add a new file."
                        )
                    continue
                async with connection.transaction():
                    await connection.execute(f"SET LOCAL search_path TO {schema}, public")
                    await connection.execute(sql, timeout=300)
                    await connection.execute(
                        f"INSERT INTO {schema}.migrations (version, name, sha256) VALUES ($1, $2, $3)",  # noqa: S608
                        version,
                        name,
                        digest,
                    )
                logger.info("migrated", schema=schema, migration=name)
        finally:
            try:
                await connection.execute("SELECT pg_advisory_unlock($1)", lock)
            except BaseException:
                # A connection that might still hold it goes; the pool would not let go of it for us.
                connection.terminate()
                raise


def _read(folder: Path) -> dict[int, tuple[str, str]]:
    files: dict[int, tuple[str, str]] = {}
    for path in sorted(folder.glob("*.sql")):
        match = NAME.match(path.name)
        if match is None or int(match[1]) in files:
            raise ConfigError(
                f"{path.name} is no migration's name (0001_what_it_does.sql, each number once)."
            )
        files[int(match[1])] = (path.name, path.read_text("utf-8"))
    return files
