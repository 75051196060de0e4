"""The real stack for the browsers: PostgreSQL, Valkey and the four services as processes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dev.child import die_with_parent, tail
from dev.ports import free_port
from dev.services import services
from tests import stack
from tests.e2e import namespace

ROOT = Path(__file__).resolve().parents[2]
READY_S = 30
STOP_S = 10


@dataclass(frozen=True)
class Stack:
    """What runs: the page's address, and the folder of the logs."""

    url: str
    logs: Path


@contextlib.contextmanager
def running() -> Iterator[Stack]:
    """Everything started and ready; all of it gone afterwards, whatever happened."""
    with stack.scratch_folder() as folder, stack.postgres() as database, stack.valkey() as cache:
        env = _environment(database.url(), cache.url, folder / "keys")
        with contextlib.ExitStack() as processes:
            for service in services(env):
                processes.enter_context(_process(service.module, env, folder))
            _wait_until_ready(env, folder)
            yield Stack(f"http://127.0.0.1:{env['GATEWAY_PORT']}", folder)


def _environment(database_url: str, redis_url: str, keys: Path) -> dict[str, str]:
    gateway, auth, rooms, media, ws = (free_port() for _ in range(5))
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SERVICE_TOKEN": "the-secret-of-the-browser-tests",
        "GATEWAY_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(gateway),
        "AUTH_ADDR": f"127.0.0.1:{auth}",
        "AUTH_LISTEN": f"127.0.0.1:{auth}",
        "AUTH_KEYS_DIR": str(keys),
        "BCRYPT_COST": "4",
        "ROOMS_ADDR": f"127.0.0.1:{rooms}",
        "ROOMS_LISTEN": f"127.0.0.1:{rooms}",
        "ROOMS_WS_HOST": "127.0.0.1",
        "ROOMS_WS_PORT": str(ws),
        "ALLOWED_ORIGINS": f"http://127.0.0.1:{gateway}",
        "MEDIA_ADDR": f"127.0.0.1:{media}",
        "MEDIA_LISTEN": f"127.0.0.1:{media}",
        "MEDIA_HOST": namespace.media_host(),
        "MEDIA_PORT": str(_free_udp_port()),
    }


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((namespace.media_host(), 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _process(module: str, env: dict[str, str], folder: Path) -> Iterator[None]:
    with (folder / f"{module}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(env: dict[str, str], folder: Path) -> None:
    deadline = time.monotonic() + READY_S
    waiting = list(services(env))
    while waiting := [service for service in waiting if not service.is_ready()]:
        if time.monotonic() > deadline:
            logs = "\n".join(
                f"--- {each.name}\n{tail(folder / f'{each.module}.log', 30)}" for each in waiting
            )
            raise TimeoutError(f"not ready after {READY_S} s:\n{logs}")
        time.sleep(0.1)
