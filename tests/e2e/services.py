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
from pathlib import Path

from dev.child import die_with_parent, tail
from dev.ports import free_port
from dev.services import Service, services
from tests import stack
from tests.e2e import namespace

ROOT = Path(__file__).resolve().parents[2]
READY_S = 30
STOP_S = 10


class Stack:
    """The running services, by their module names. `env` is what all of them were told."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self._env, self._folder = env, folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.url = f"http://127.0.0.1:{env['GATEWAY_PORT']}"
        # The same page by an address that browsers do not trust as they trust loopback.
        self.insecure_url = f"http://{namespace.media_host()}:{env['GATEWAY_PORT']}"

    def start(self, module: str) -> None:
        self._processes[module] = _start(module, self._env, self._folder / f"{module}.log")

    def kill(self, module: str) -> None:
        """As a crash does it."""
        self._processes[module].kill()
        self._processes[module].wait()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        waiting = list(services(self._env))
        while waiting := [service for service in waiting if not service.is_ready()]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not ready after {READY_S} s:\n{self._logs(waiting)}")
            time.sleep(0.1)

    def stop(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _logs(self, of: list[Service]) -> str:
        return "\n".join(f"--- {each.name}\n{tail(self._folder / f'{each.module}.log', 30)}" for each in of)


@contextlib.contextmanager
def running() -> Iterator[Stack]:
    """Everything started and ready; all of it gone afterwards, whatever happened."""
    with stack.scratch_folder() as folder, stack.postgres() as database, stack.valkey() as cache:
        env = _environment(database.url(), cache.url, folder / "keys")
        all_of_it = Stack(env, folder)
        try:
            for service in services(env):
                all_of_it.start(service.module)
            all_of_it.wait_until_ready()
            yield all_of_it
        finally:
            all_of_it.stop()


def _environment(database_url: str, redis_url: str, keys: Path) -> dict[str, str]:
    gateway, auth, rooms, media, ws = (free_port() for _ in range(5))
    # In a network of our own nobody else can knock; there the page has its second address.
    host = "0.0.0.0" if namespace.inside() else "127.0.0.1"
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SERVICE_TOKEN": "the-secret-of-the-browser-tests",
        "GATEWAY_HOST": host,
        "GATEWAY_PORT": str(gateway),
        "AUTH_ADDR": f"127.0.0.1:{auth}",
        "AUTH_LISTEN": f"127.0.0.1:{auth}",
        "AUTH_KEYS_DIR": str(keys),
        "BCRYPT_COST": "4",
        "ROOMS_ADDR": f"127.0.0.1:{rooms}",
        "ROOMS_LISTEN": f"127.0.0.1:{rooms}",
        "ROOMS_WS_HOST": host,
        "ROOMS_WS_PORT": str(ws),
        "ALLOWED_ORIGINS": f"http://127.0.0.1:{gateway},http://{namespace.ADDRESS}:{gateway}",
        "MEDIA_ADDR": f"127.0.0.1:{media}",
        "MEDIA_LISTEN": f"127.0.0.1:{media}",
        "MEDIA_HOST": namespace.media_host(),
        "MEDIA_PORT": str(_free_udp_port()),
    }


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((namespace.media_host(), 0))
        return int(probe.getsockname()[1])


def _start(module: str, env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
