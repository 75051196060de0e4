"""Three replicas of rooms, PostgreSQL and Valkey as processes, with a proxy on each link between them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from common import rpc
from common.probe import grpc_probe, http_probe
from dev.ports import free_ports
from dev.postgres import FAST, Postgres
from dev.valkey import Valkey
from tests import stack
from tests.chaos.program import Rooms
from tests.chaos.servers import Servers
from tests.rooms import kit
from tests.rooms.proxy import Proxy, proxied

TOKEN_SECONDS = 24 * 3600.0


@dataclass
class Replica(Rooms):
    """With the proxies around it: `door` for its clients, and its ways to the servers behind it."""

    door: Proxy
    database: Proxy
    valkey: Proxy


class Cluster(Servers):
    """Nothing but rooms is real of our services; what it asks of the others is answered here."""

    def __init__(self, postgres: Postgres, valkey: Valkey, thread: ThreadPoolExecutor) -> None:
        super().__init__(postgres, valkey, thread)
        self.replicas: list[Replica] = []
        self._tokens: dict[int, str] = {}

    async def back_up(self) -> None:
        """Keep a copy of the database as it is now."""
        await self.do(self._copy_data)

    def _copy_data(self) -> None:
        self.postgres.stop()
        shutil.copytree(self.postgres.data, self._backup)
        self.postgres.start()

    async def restore(self) -> None:
        """Put the copy in the place of the database, under another name, as operators are told to."""
        await self.do(self._put_back)
        connection = await asyncpg.connect(self.postgres.url(self.database))
        await connection.execute("UPDATE rooms.deployment SET epoch = gen_random_uuid()")
        await connection.close()

    def _put_back(self) -> None:
        self.postgres.stop()
        shutil.rmtree(self.postgres.data)
        shutil.copytree(self._backup, self.postgres.data)
        self.postgres.start()

    @asynccontextmanager
    async def without_database(self) -> AsyncIterator[None]:
        """No replica reaches PostgreSQL, so that nobody writes while something is done to it."""
        for replica in self.replicas:
            await replica.database.cut()
        yield
        for replica in self.replicas:
            await replica.database.restore()

    @property
    def _backup(self) -> Path:
        return self.postgres.folder / "backup"

    def token(self, user_id: int) -> str:
        if user_id not in self._tokens:
            self._tokens[user_id] = kit.token(user_id, lives=TOKEN_SECONDS)
        return self._tokens[user_id]


@asynccontextmanager
async def running(replicas: int = 3) -> AsyncIterator[Cluster]:
    """A cluster that is ready; nothing of it is left afterwards, whatever happened."""
    async with contextlib.AsyncExitStack() as exits:
        folder = exits.enter_context(stack.scratch_folder())
        thread = exits.enter_context(ThreadPoolExecutor(1))
        cluster = Cluster(Postgres(folder / "postgres", settings=FAST), Valkey(folder / "valkey"), thread)
        for server in (cluster.postgres, cluster.valkey):
            exits.push_async_callback(cluster.do, server.stop)
            await cluster.do(server.start)
        admin = await asyncpg.connect(cluster.postgres.url())
        await admin.execute(f"CREATE DATABASE {Cluster.database}")
        await admin.close()
        neighbours = await exits.enter_async_context(kit.neighbours(""))
        ports = iter(free_ports(2 * replicas))
        for number in range(replicas):
            grpc_port, ws_port = next(ports), next(ports)
            door = await exits.enter_async_context(proxied(f"ws://127.0.0.1:{ws_port}"))
            database = await exits.enter_async_context(proxied(cluster.postgres.url(Cluster.database)))
            valkey = await exits.enter_async_context(proxied(cluster.valkey.url))
            client = await exits.enter_async_context(rpc.connect(f"127.0.0.1:{grpc_port}", "rooms", ""))
            env = {
                "ROOMS_LISTEN": f"127.0.0.1:{grpc_port}",
                "ROOMS_WS_PORT": str(ws_port),
                "DATABASE_URL": database.url,
                "REDIS_URL": valkey.url,
                "AUTH_ADDR": neighbours.auth_addr,
                "MEDIA_ADDR": neighbours.media_addr,
            }
            log = folder / f"replica-{number}.log"
            replica = Replica(
                f"replica {number}",
                "tests.chaos.replica",
                env,
                log,
                _ready(grpc_port, ws_port),
                door.url,
                client,
                door,
                database,
                valkey,
            )
            exits.push_async_callback(cluster.do, replica.kill)
            cluster.replicas.append(replica)
            await cluster.do(replica.start)
        await cluster.ready()
        yield cluster


def _ready(grpc_port: int, ws_port: int) -> Callable[[], bool]:
    probes = grpc_probe(f"127.0.0.1:{grpc_port}"), http_probe(f"127.0.0.1:{ws_port}", "/healthz")
    return lambda: all(probe() for probe in probes)
