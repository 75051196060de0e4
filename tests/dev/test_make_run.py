"""`make run` itself, with the real services, beside whatever else runs on this machine."""

import os
import re
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from dev import ports
from dev.processes import Record, read_records
from tests.stack import scratch_folder

CHECKOUT = Path(__file__).parents[2]

# Several starts and stops of everything, on a machine that may have much else to do.
pytestmark = pytest.mark.timeout(240)


class Make:
    """`make` in a copy of the checkout (somebody may be editing this one), on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = folder / ".run"
        for name in (
            "auth",
            "common",
            "deploy",
            "dev",
            "docs",
            "doctor",
            "gateway",
            "media",
            "proto",
            "rooms",
            "web",
        ):
            shutil.copytree(CHECKOUT / name, folder / name)
        for name in (".env.example", "Makefile", "requirements.lock"):
            shutil.copy(CHECKOUT / name, folder)
        (folder / ".venv").symlink_to(CHECKOUT / ".venv")
        gateway, ws, auth, rooms, media, voice = ports.free_ports(6)
        self.page = f"http://localhost:{gateway}"
        self._env = {
            **os.environ,
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "GATEWAY_PORT": str(gateway),
            "ROOMS_WS_PORT": str(ws),
            "AUTH_LISTEN": f"127.0.0.1:{auth}",
            "ROOMS_LISTEN": f"127.0.0.1:{rooms}",
            "MEDIA_LISTEN": f"127.0.0.1:{media}",
            "MEDIA_PORT": str(voice),
            "MEDIA_HOST": "127.0.0.1",
            "METRICS_LISTEN": f"127.0.0.1:{ports.free_row(4)}",
        }

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["make", "--no-print-directory", *words]
        return subprocess.run(
            command, cwd=self.folder, env=self._env, capture_output=True, text=True, check=False
        )

    def running(self) -> dict[str, Record]:
        return {record.name: record for record in read_records(self.run / "pids")}

    @classmethod
    @contextmanager
    def somewhere(cls) -> Iterator[Self]:
        """In a folder that is gone afterwards, with all that runs there."""
        with scratch_folder() as folder:
            make = cls(folder)
            try:
                yield make
            finally:
                make("stop")


@pytest.fixture
def make() -> Iterator[Make]:
    with Make.somewhere() as make:
        yield make


@pytest.fixture(scope="module")
def running() -> Iterator[Make]:
    """Started, for those who leave it as it is."""
    with Make.somewhere() as make:
        done = make("run")
        assert done.returncode == 0, done.stdout + done.stderr
        yield make


def test_from_nothing_to_the_page_and_back_to_nothing(make: Make) -> None:
    for too_early in (("admin", "ARGS=invite"), ("backup",)):
        early = make(*too_early)
        assert early.returncode != 0
        assert "make run first" in early.stderr

    first = make("run")
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stdout.splitlines()[-1].endswith(make.page)
    with urllib.request.urlopen(make.page) as page:
        assert b"<html" in page.read()

    assert make("run").stdout.endswith(f"Already running: {make.page}\n")

    before = make.running()
    assert set(before) == {"postgres", "valkey", "auth", "media", "rooms", "gateway", "supervisord"}
    for name in ("auth", "media", "rooms", "gateway"):
        os.kill(before[name].pid, signal.SIGKILL)
    # Whether the supervisor was quicker or `make run` is: everything is up again.
    healed = make("run")
    assert healed.returncode == 0, healed.stdout + healed.stderr
    status = make("status")
    assert status.returncode == 0
    told = re.findall(r"(auth|rooms|media|gateway) (http://127\.0\.0\.1:[0-9]+/metrics)", status.stdout)
    assert [name for name, _ in told] == ["auth", "rooms", "media", "gateway"]
    for name, address in told:
        assert address in first.stdout
        with urllib.request.urlopen(address) as figures:
            assert "cwrk_build_info{" in (text := figures.read().decode())
            assert f'service="{name}"' in text
    after = make.running()
    assert {name for name in after if after[name].pid == before[name].pid} == {
        "postgres",
        "valkey",
        "supervisord",
    }

    assert make("stop").returncode == 0
    assert make.running() == {}
    assert not any(record.is_alive() for record in [*before.values(), *after.values()])
    assert make("status").stdout.startswith("Not running.")


def test_the_operator_makes_an_invite(running: Make) -> None:
    done = running("admin", "ARGS=invite --uses 3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{running.page}/login?invite=")


def test_a_backup_brings_back_who_has_left(running: Make) -> None:
    assert running("admin", "ARGS=add anna@example.org").returncode == 0
    saved = running("backup")
    assert saved.returncode == 0, saved.stderr
    assert running("admin", "ARGS=delete anna@example.org").returncode == 0
    servers = {name: its for name, its in running.running().items() if name in ("postgres", "valkey")}

    restored = running("restore", f"BACKUP={saved.stdout.strip()}")
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert "anna@example.org" in running("admin", "ARGS=list").stdout
    assert running("status").returncode == 0
    assert {name: its for name, its in running.running().items() if name in servers} == servers


def test_nothing_secret_is_open_to_other_users(running: Make) -> None:
    open_to_others = {
        str(file.relative_to(running.run))
        for file in running.run.rglob("*")
        if file.is_file() and file.stat().st_mode & 0o077 and "postgres/data/" not in str(file)
    }
    assert {name for name in open_to_others if not name.startswith(("logs/", "pids/"))} == {
        "lock",
        "postgres/port",
        "started.json",
        "supervisor.conf",
        "supervisord.pid",
        "valkey/port",
    }
    assert (running.run / "logs").stat().st_mode & 0o077 == 0
