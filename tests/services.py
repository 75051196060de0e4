"""The real chain for tests: PostgreSQL, Valkey and the four services as processes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from dev.child import spawn, tail
from dev.ports import free_port, free_row, is_free
from dev.postgres import Postgres
from dev.services import Service, services
from dev.valkey import Valkey
from tests import stack

ROOT = Path(__file__).resolve().parents[1]
READY_S = 30
STOP_S = 10
# What opens a door or tells where somebody is: tokens of both kinds, invites, tickets, an SDP's lines.
SECRETS = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}|cwrkr_[\w-]{16,}|invites?/[\w-]{16,}|ticket=[\w-]{16,}|a=(?:ice-|fingerprint)"
)


class Stack:
    """The running services, by their names. `env` is what all of them were told."""

    def __init__(
        self, env: dict[str, str], folder: Path, database: Postgres, cache: Valkey, python: Sequence[str]
    ) -> None:
        self.env, self._folder, self._python = env, folder, python
        self.database, self.cache = database, cache
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.url = f"http://127.0.0.1:{env['GATEWAY_PORT']}"
        self.ws_url = f"ws://127.0.0.1:{env['ROOMS_WS_PORT']}"

    @property
    def services(self) -> dict[str, Service]:
        return {service.name: service for service in services(self.env)}

    def start(self, name: str) -> None:
        service = self.services[name]
        self._processes[name] = spawn(
            [*self._python, "-m", service.module],
            log=self._log(name),
            death_signal=signal.SIGKILL,
            folder=ROOT,
            env={**os.environ, **self.env, **service.env},
        )

    def kill(self, name: str) -> None:
        """As a crash does it."""
        self._processes[name].kill()
        self._processes[name].wait()

    def hang(self, name: str) -> None:
        """Its connections stay open, and nobody answers."""
        self._processes[name].send_signal(signal.SIGSTOP)

    def wake(self, name: str) -> None:
        self._processes[name].send_signal(signal.SIGCONT)

    def terminate(self, name: str) -> None:
        """As a deploy does it."""
        self._processes[name].terminate()
        self._processes[name].wait(STOP_S)

    @contextlib.contextmanager
    def changed(self, module: str, **env: str) -> Iterator[None]:
        """One service with other settings, for as long as this lasts."""
        before = dict(self.env)
        self.env.update(env)
        try:
            self._restart(module)
            yield
        finally:
            self.env.clear()
            self.env.update(before)
            self._restart(module)

    def _restart(self, module: str) -> None:
        self.kill(module)
        self.start(module)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        waiting = list(self.services.values())
        while waiting := [service for service in waiting if not service.is_ready()]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not ready after {READY_S} s:\n{self._ends_of_logs(waiting)}")
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

    def logs(self) -> str:
        """All that the services have said."""
        return "\n".join(self._log(module).read_text("utf-8") for module in self._processes)

    def _log(self, module: str) -> Path:
        return self._folder / f"{module}.log"

    def _ends_of_logs(self, of: list[Service]) -> str:
        return "\n".join(f"--- {each.name}\n{tail(self._log(each.name), 30)}" for each in of)


@contextlib.contextmanager
def running(
    *,
    listen: str = "127.0.0.1",
    media_host: str = "127.0.0.1",
    origins: tuple[str, ...] = (),
    settings: Mapping[str, str] = MappingProxyType({}),
    passwords: tuple[str, ...] = (),
    workers: int = 1,
    python: Sequence[str] = (sys.executable,),
) -> Iterator[Stack]:
    """Everything started and ready; all of it gone afterwards, whatever happened.

    Whatever the tests did to it meanwhile, no log holds a token, an SDP or one of `passwords`.

    HTTP and the websocket listen at `listen`, voice at `media_host`; pages at 127.0.0.1 and at the hosts
    `origins` are let in. `settings` go to all services. `python` is what runs them.
    """
    with stack.scratch_folder() as folder, stack.postgres() as database, stack.valkey() as cache:
        env = _environment(listen, media_host, origins, workers) | {
            "DATABASE_URL": database.url(),
            "REDIS_URL": cache.url,
            "AUTH_KEYS_DIR": str(folder / "keys"),
            **settings,
        }
        chain = Stack(env, folder, database, cache, python)
        try:
            for name in chain.services:
                chain.start(name)
            chain.wait_until_ready()
            yield chain
        finally:
            chain.stop()
        leaked = SECRETS.findall(chain.logs()) + [each for each in passwords if each in chain.logs()]
        assert leaked == []


def _environment(listen: str, media_host: str, origins: tuple[str, ...], workers: int) -> dict[str, str]:
    gateway, auth, rooms, ws = (free_port() for _ in range(4))
    media, metrics = free_row(workers), free_row(3 + workers)
    voices = _free_voice_ports(media_host, workers)
    return {
        "SERVICE_TOKEN": "the-secret-of-the-tests",
        "BCRYPT_COST": "4",
        "GATEWAY_HOST": listen,
        "GATEWAY_PORT": str(gateway),
        "PUBLIC_URL": f"http://127.0.0.1:{gateway}",
        "AUTH_ADDR": f"127.0.0.1:{auth}",
        "AUTH_LISTEN": f"127.0.0.1:{auth}",
        "ROOMS_ADDR": f"127.0.0.1:{rooms}",
        "ROOMS_LISTEN": f"127.0.0.1:{rooms}",
        "ROOMS_WS_HOST": listen,
        "ROOMS_WS_PORT": str(ws),
        "ALLOWED_ORIGINS": ",".join(f"http://{host}:{gateway}" for host in ("127.0.0.1", *origins)),
        "MEDIA_ADDR": ",".join(f"127.0.0.1:{media + more}" for more in range(workers)),
        "MEDIA_WORKERS": str(workers),
        "MEDIA_LISTEN": f"127.0.0.1:{media}",
        "METRICS_LISTEN": f"127.0.0.1:{metrics}",
        "MEDIA_HOST": media_host,
        "MEDIA_DRAIN_MS": "100",
        "MEDIA_PORT": str(voices),
    }


def _free_voice_ports(host: str, count: int) -> int:
    """The first of so many ports that are free, for UDP and for TCP."""
    while True:
        port = free_row(count)
        if all(is_free(port + more, host=host, udp=udp) for more in range(count) for udp in (False, True)):
            return port
