"""What stands behind: PostgreSQL, Valkey, the clock and the disk."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import redis.asyncio
import redis.exceptions

from common import database
from common.config import ConfigError
from common.errors import CwrkError
from doctor.config import Config
from doctor.finding import Finding, odd, well, wrong
from doctor.page import agree

OLDEST = 180_000  # uuidv7() and RETURNING OLD came with 18
TIME_ERROR = 5  # adjtimex: nobody sets the clock
LITTLE_GB = 2.0


async def check(config: Config) -> AsyncIterator[Finding]:
    async for finding in _postgres(config.database_url):
        yield finding
    yield await _valkey(config.redis_url)
    yield _clock()
    yield _disk(Path.cwd())


async def _postgres(url: str) -> AsyncIterator[Finding]:
    try:
        async with (
            database.connect(url, size=1, patience=0) as opened,
            opened.connection() as connection,
        ):
            (row,) = await connection.fetch(
                "SELECT current_setting('server_version_num')::int AS number,"
                " current_setting('server_version') AS version,"
                " extract(epoch FROM clock_timestamp())::float8 AS now,"
                " current_setting('max_connections')::int AS most,"
                " (SELECT count(*) FROM pg_stat_activity) AS used,"
                " pg_database_size(current_database()) / 1e6 AS size"
            )
    except (ConfigError, CwrkError, asyncpg.PostgresError, OSError) as error:
        yield wrong("PostgreSQL", str(error), "look whether it runs, and correct DATABASE_URL.")
        return
    if row["number"] < OLDEST:
        yield wrong("PostgreSQL", f"it is {row['version']}", "18 or newer is needed.")
    elif row["used"] > 0.8 * row["most"]:
        yield odd(
            "PostgreSQL",
            f"{row['used']} of {row['most']} connections are in use",
            "raise its max_connections, or lower ROOMS_DATABASE_CONNECTIONS and AUTH_DATABASE_CONNECTIONS.",
        )
    else:
        yield well("PostgreSQL", f"{row['version']}, {row['size']:.0f} MB, {row['used']} connections")
    yield agree("PostgreSQL", row["now"], apart=2)


async def _valkey(url: str) -> Finding:
    if not url:
        return odd("Valkey", "none is set: everything works, only slower", "set REDIS_URL.")
    try:
        client = redis.asyncio.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3)
        async with client:
            await client.ping()
    except (ValueError, redis.exceptions.AuthenticationError):
        return wrong("Valkey", "it refuses us", "correct the password, or the whole of REDIS_URL.")
    except (redis.exceptions.RedisError, OSError):
        return odd(
            "Valkey",
            "it does not answer: everything works, only slower",
            "look whether it runs, and whether REDIS_URL is right.",
        )
    return well("Valkey", "answers")


def _clock() -> Finding:
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    state = adjtimex(ctypes.create_string_buffer(512)) if adjtimex else -1
    if state == TIME_ERROR:
        return odd("clocks", "nobody sets this machine's clock", "timedatectl set-ntp true")
    return well(
        "clocks", "this machine's is set by the network" if state >= 0 else "it cannot be asked who sets it"
    )


def _disk(folder: Path) -> Finding:
    disk = shutil.disk_usage(folder)
    free = disk.free / 1e9
    said = f"{free:.1f} GB of {disk.total / 1e9:.0f} GB are free"
    if free < LITTLE_GB:
        return wrong(
            "disk",
            said,
            "make room (docker image prune, old backups), or set MESSAGE_RETENTION_DAYS: a full disk stops"
            " the chat.",
        )
    return well("disk", said)
