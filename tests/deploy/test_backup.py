"""A backup is taken, everything is lost, the backup is restored: the same rooms, under another epoch."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from dev.postgres import BINARIES
from tests import services
from tests.integration.student import PASSWORD, Student

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICES = ("gateway", "rooms", "auth")

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def chain() -> Iterator[services.Stack]:
    with services.running(passwords=(PASSWORD,)) as running:
        yield running


def script(name: str, argument: Path, chain: services.Stack, **env: str) -> subprocess.CompletedProcess[str]:
    """One of the two, with the programs of the embedded server in place of the containers'."""
    server = chain.database
    there = {
        "PATH": f"{BINARIES}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGUSER": "cwrkplanet",
        "PGPASSWORD": server.password,
        "PGDATABASE": "postgres",
        "POSTGRES": "env",
        "AUTH": "env",
        "KEYS": chain.env["AUTH_KEYS_DIR"],
        "STOP": "true",
        "START": "true",
        **env,
    }
    command: list[str | Path] = [DEPLOY / name, argument]
    return subprocess.run(command, env=there, capture_output=True, text=True, check=False)


async def test_a_backup_brings_everything_back(chain: services.Stack, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    async with Student.registered(chain.url, chain.ws_url, "Anna") as anna:
        room = await anna.create_room("Algebra")
        async with anna.in_room(room):
            await anna.say("before", "1")
            done = await asyncio.to_thread(script, "backup", backups, chain)
            assert done.returncode == 0, done.stderr
            await anna.say("after", "2")
        await anna.create_room("Too late")
        backup = Path(done.stdout.strip())
        before = await epoch(chain)

        for name in SERVICES:
            await asyncio.to_thread(chain.terminate, name)
        await wipe(chain)
        done = await asyncio.to_thread(script, "restore", backup, chain)
        assert done.returncode == 0, done.stderr
        for name in SERVICES:
            chain.start(name)
        await asyncio.to_thread(chain.wait_until_ready)

        # Her token is good still: the keys are the same.
        assert [item["id"] for item in (await anna.get("/rooms"))["items"]] == [room]
        assert [item["text"] for item in (await anna.get(f"/rooms/{room}/chat"))["items"]] == ["before"]
        assert await epoch(chain) != before
        async with anna.connected():
            await anna.say("again", "3")


async def test_what_is_broken_is_not_restored_and_nothing_is_lost(
    chain: services.Stack, tmp_path: Path
) -> None:
    done = await asyncio.to_thread(script, "backup", tmp_path / "backups", chain)
    backup = Path(done.stdout.strip())
    dump = backup / "database.dump"
    dump.write_bytes(dump.read_bytes()[: dump.stat().st_size // 2])
    async with Student.registered(chain.url, chain.ws_url, "Anna") as anna:
        room = await anna.create_room("Algebra")
        before = await epoch(chain)
        done = await asyncio.to_thread(script, "restore", backup, chain)
        assert done.returncode != 0
        assert await epoch(chain) == before
        assert room in [item["id"] for item in (await anna.get("/rooms"))["items"]]
    dump.unlink()
    done = await asyncio.to_thread(script, "restore", backup, chain)
    assert "has no database.dump" in done.stderr


def test_the_newest_backups_stay_and_unfinished_ones_go(chain: services.Stack, tmp_path: Path) -> None:
    for day in ("01", "02", "03"):
        (tmp_path / f"202611{day}T000000Z").mkdir()
    (tmp_path / "unfinished.x1").mkdir()
    done = script("backup", tmp_path, chain, KEEP="2")
    assert done.returncode == 0, done.stderr
    made = Path(done.stdout.strip())
    assert {each.name for each in tmp_path.iterdir()} == {"20261103T000000Z", made.name}
    assert all(file.stat().st_mode & 0o077 == 0 for file in (made, *made.iterdir()))
    with tarfile.open(made / "keys.tar") as keys:
        assert "./refresh.secret" in keys.getnames()
    # One that fails leaves nothing that looks like a backup.
    assert script("backup", tmp_path, chain, PGPORT="1").returncode != 0
    assert len(list(tmp_path.iterdir())) == 2


async def epoch(chain: services.Stack) -> str:
    connection = await asyncpg.connect(chain.database.url())
    try:
        return str(await connection.fetchval("SELECT epoch FROM rooms.deployment"))
    finally:
        await connection.close()


async def wipe(chain: services.Stack) -> None:
    connection = await asyncpg.connect(chain.database.url())
    await connection.execute("DROP SCHEMA auth, rooms CASCADE")
    await connection.close()
    await asyncio.to_thread(empty, Path(chain.env["AUTH_KEYS_DIR"]))


def empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
