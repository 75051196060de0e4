"""Three replicas of rooms, PostgreSQL and Valkey as processes, with a proxy on each link between them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID

import asyncpg

from common import rpc
from common.probe import grpc_probe, http_probe
from dev.child import spawn, tail
from dev.ports import free_ports
from dev.postgres import FAST, Postgres
from dev.valkey import Valkey
from proto import rooms_pb2, rooms_pb2_grpc
from tests import stack
from tests.chaos.history import Event, Message
from tests.rooms import kit
from tests.rooms.proxy import Proxy, proxied

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "chaos"
READY_SECONDS = 60.0
STOP_SECONDS = 30.0
PAGE = 100
TOKEN_SECONDS = 24 * 3600.0

T = TypeVar("T")


@dataclass
class Replica:
    """A process, and the proxies around it: `door` for its clients, and its ways to the servers behind it."""

    name: str
    env: dict[str, str]
    log: Path
    door: Proxy
    database: Proxy
    valkey: Proxy
    client: rpc.Client
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs."""
        if self.process is None or self.process.poll() is not None:
            self.process = spawn(
                [sys.executable, "-m", "tests.chaos.replica"],
                log=self.log,
                death_signal=signal.SIGKILL,
                folder=ROOT,
                env={**os.environ, **self.env},
            )

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """As a crash does it."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def drain(self) -> None:
        """As a deploy does it, also to one that is frozen. Not ending by itself is a bug."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        if self.process is not None:
            self.process.wait(STOP_SECONDS)

    def is_ready(self) -> bool:
        return (
            grpc_probe(self.env["ROOMS_LISTEN"])()
            and http_probe(f"127.0.0.1:{self.env['ROOMS_WS_PORT']}", "/healthz")()
        )


class Cluster:
    """All of it. What blocks runs on one thread, which lives as long as the processes that it starts."""

    def __init__(self, postgres: Postgres, valkey: Valkey, thread: ThreadPoolExecutor) -> None:
        self.postgres = postgres
        self.valkey = valkey
        self.replicas: list[Replica] = []
        self._thread = thread
        self._tokens: dict[int, str] = {}

    async def do(self, work: Callable[[], T]) -> T:
        """Start or stop something, without standing still meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def ready(self) -> None:
        """Wait until every replica is. One that ended by itself is started again, as a supervisor does."""
        for replica in self.replicas:
            async with asyncio.timeout(READY_SECONDS):
                while not await self.do(replica.is_ready):
                    await self.do(replica.start)
                    await asyncio.sleep(0.1)

    async def epoch(self) -> str:
        """What this history is called."""
        connection = await asyncpg.connect(self.postgres.url(DATABASE))
        try:
            return str(await connection.fetchval("SELECT epoch FROM rooms.deployment"))
        finally:
            await connection.close()

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
        connection = await asyncpg.connect(self.postgres.url(DATABASE))
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

    async def call(self, replica: Replica, method: str, request: Any, user_id: int) -> Any:
        """A gRPC call of a user. Raises CwrkError."""
        stub = rooms_pb2_grpc.RoomsStub(cast(Any, replica.client.channel))
        return await replica.client.call(getattr(stub, method), request, user_token=self.token(user_id))

    async def make_room(self, *user_ids: int) -> str:
        """A room with these members; its id."""
        first = self.replicas[0]
        asked = rooms_pb2.CreateRoomRequest(name="Chaos", max=500)
        room_id = str((await self.call(first, "CreateRoom", asked, user_ids[0])).id)
        for user_id in user_ids:
            await self.call(first, "JoinRoom", rooms_pb2.JoinRoomRequest(room_id=room_id), user_id)
        return room_id

    async def events(self, replica: Replica, room_id: str, user_id: int) -> list[Event]:
        """The whole log of a room as GET /rooms/{id}/events gives it. Raises CwrkError."""
        found: list[Event] = []
        while True:
            since = found[-1].seq if found else 0
            asked = rooms_pb2.ListEventsRequest(room_id=room_id, since_seq=since, limit=PAGE)
            page = await self.call(replica, "ListEvents", asked, user_id)
            found += [event_of(json.loads(frame)) for frame in page.frames]
            if not page.frames:
                return found

    async def messages(self, replica: Replica, room_id: str, user_id: int) -> dict[str, Message]:
        """The messages of a room as GET /rooms/{id}/chat gives them. Raises CwrkError."""
        found: dict[str, Message] = {}
        cursor = ""
        while True:
            asked = rooms_pb2.ListChatRequest(room_id=room_id, after=cursor, limit=PAGE)
            page = await self.call(replica, "ListChat", asked, user_id)
            for item in page.items:
                put = frozenset((r.emoji, int(user_id)) for r in item.reactions for user_id in r.user_ids)
                found[item.id] = Message(item.text, item.deleted, put)
            cursor = page.next_cursor
            if not cursor:
                return found

    async def log(self, room_id: str, after: int = 0) -> tuple[int, list[Event]]:
        """The head and the events of a room as the tables have them."""
        connection = await asyncpg.connect(self.postgres.url(DATABASE))
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                head = await connection.fetchval(
                    "SELECT last_seq FROM rooms.heads WHERE room_id = $1", UUID(room_id)
                )
                rows = await connection.fetch(
                    "SELECT e.seq, coalesce(e.about, e.id) AS id, e.user_id, e.client_msg_id, e.kind, e.body,"
                    " coalesce(said.text, e.text) AS text FROM rooms.events e"
                    " LEFT JOIN rooms.events said ON said.id = e.about"
                    " WHERE e.room_id = $1 AND e.seq > $2 ORDER BY e.seq",
                    UUID(room_id),
                    after,
                )
        finally:
            await connection.close()
        return int(head), [_event_in(row) for row in rows]

    def ends_of_logs(self, lines: int = 20) -> str:
        """For the report of a failure."""
        return "\n".join(f"--- {each.name}\n{tail(each.log, lines)}" for each in self.replicas)


def event_of(frame: dict[str, Any]) -> Event:
    """The event in a durable frame."""
    payload = frame["payload"]
    return Event(
        frame["seq"],
        payload["msg_id"],
        int(payload["user_id"]),
        payload.get("client_msg_id", ""),
        payload.get("message", ""),
        frame["type"],
        _emoji(payload),
    )


def _event_in(row: asyncpg.Record) -> Event:
    """The event in a row of the log."""
    emoji = _emoji(json.loads(row["body"] or "{}"))
    return Event(
        row["seq"], str(row["id"]), row["user_id"], row["client_msg_id"], row["text"], row["kind"], emoji
    )


def _emoji(told: dict[str, Any]) -> str:
    return ("+" if told["added"] else "-") + told["emoji"] if "emoji" in told else ""


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
        await admin.execute(f"CREATE DATABASE {DATABASE}")
        await admin.close()
        neighbours = await exits.enter_async_context(kit.neighbours(""))
        ports = iter(free_ports(2 * replicas))
        for number in range(replicas):
            grpc_port, ws_port = next(ports), next(ports)
            door = await exits.enter_async_context(proxied(f"ws://127.0.0.1:{ws_port}"))
            database = await exits.enter_async_context(proxied(cluster.postgres.url(DATABASE)))
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
            replica = Replica(f"replica {number}", env, log, door, database, valkey, client)
            exits.push_async_callback(cluster.do, replica.kill)
            cluster.replicas.append(replica)
            await cluster.do(replica.start)
        await cluster.ready()
        yield cluster
