"""The embedded servers of a stack: those it has because DATABASE_URL or REDIS_URL names no other."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import asyncpg

from dev import ports
from dev.place import Place, StackError
from dev.postgres import Postgres
from dev.progress import Progress
from dev.supervision import Program
from dev.valkey import Valkey

DATABASE = "cwrkplanet"


@dataclass(frozen=True)
class Embedded:
    """Each is None when it is somebody else's."""

    postgres: Postgres | None
    valkey: Valkey | None

    @classmethod
    def needed(cls, place: Place, env: Mapping[str, str]) -> "Embedded":
        """What `env` leaves to us, at the ports noted at an earlier start if there was one."""
        postgres = None if env.get("DATABASE_URL") else Postgres(place.run / "postgres", port=0)
        valkey = None if env.get("REDIS_URL") else Valkey(place.run / "valkey", port=0)
        for server in (postgres, valkey):
            if server and (server.folder / "port").exists():
                server.port = int((server.folder / "port").read_text())
        return cls(postgres, valkey)

    def prepare(self, progress: Progress, taken: Collection[int]) -> list[Program]:
        """Make data folders, passwords and ports where there are none yet; returns what to run.

        `taken` are the ports that the services are going to listen on.
        """
        self._choose_ports(set(taken))
        programs = []
        if self.postgres:
            if not (self.postgres.data / "PG_VERSION").exists():
                progress.say("making a PostgreSQL data folder")
            disguise = self.postgres.prepare()
            command = [*disguise.prefix, *self.postgres.command()]
            programs.append(Program("postgres", command, disguise.owner, stop_signal="INT", grace=30))
        if self.valkey:
            self.valkey.prepare()
            programs.append(Program("valkey", self.valkey.command()))
        return programs

    def addresses(self) -> dict[str, str]:
        """What the services need in their environment."""
        found = {}
        if self.postgres:
            found["DATABASE_URL"] = self.postgres.url(DATABASE)
        if self.valkey:
            found["REDIS_URL"] = self.valkey.url
        return found

    def addresses_known(self) -> dict[str, str]:
        """The same, for who comes from outside. Raises StackError before the first start."""
        if self.postgres and not (self.postgres.folder / "password").exists():
            raise StackError(
                "There is no database here yet: make run first. (After make up: docker compose exec.)"
            )
        return self.addresses()

    def probes(self) -> dict[str, Callable[[], bool]]:
        """For each program, whether it is ready; PostgreSQL is when it has our database."""
        found: dict[str, Callable[[], bool]] = {}
        if self.postgres:
            server = self.postgres
            found["postgres"] = lambda: asyncio.run(_has_database(server.url()))
        if self.valkey:
            found["valkey"] = self.valkey.is_ready
        return found

    def _choose_ports(self, taken: set[int]) -> None:
        """Keep the ports of the last start, unless somebody took them while we were down."""
        for server in (self.postgres, self.valkey):
            if server is None:
                continue
            if server.port == 0 or server.port in taken or not ports.is_free(server.port):
                server.port = ports.free_ports(1, but_not=taken)[0]
                server.folder.mkdir(exist_ok=True)
                (server.folder / "port").write_text(f"{server.port}\n")
            taken.add(server.port)

    def where(self) -> dict[str, str]:
        """The ports, for people."""
        named = {"postgres": self.postgres, "valkey": self.valkey}
        return {name: str(server.port) for name, server in named.items() if server}


async def _has_database(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (asyncpg.PostgresError, OSError, TimeoutError):
        return False
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f'CREATE DATABASE "{DATABASE}"')
    finally:
        await connection.close()
    return True
