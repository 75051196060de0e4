"""`python -m bench.storm`: 5,000 people lose their websockets and come back within 30 s.

    python -m bench.storm [--people 5000] [--within 30] [--every 20] [--how cut|restart] [--json FILE]

PostgreSQL, Valkey and rooms are processes of their own. PostgreSQL's load while everybody talks is compared
with its load while everybody comes back and goes on talking.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import re
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from bench.chat.clients import ROOMS, Client, Tally
from bench.chat.measures import TEXT
from bench.chat.servers import Rooms, our_rooms
from common.lifecycle import loop_factory
from tests import stack
from tests.rooms import kit

ROOM = 10  # people
SOURCES = 50  # loopback addresses they come from
PATIENCE = 60.0
MEMBERS = """
WITH person AS (
  INSERT INTO rooms.people SELECT i, 'Person ' || i FROM generate_series(1, $1::integer) AS i
  RETURNING user_id),
room AS (
  INSERT INTO rooms.rooms (name, visibility, max_participants, owner_id)
  SELECT 'Algebra', 'public', 500, user_id FROM person WHERE user_id % $2::integer = 0
  RETURNING id, owner_id),
head AS (INSERT INTO rooms.heads (room_id) SELECT id FROM room)
INSERT INTO rooms.members (room_id, user_id, role)
SELECT room.id, room.owner_id - place, CASE WHEN place = 0 THEN 'owner' ELSE 'member' END
FROM room, generate_series(0, $2::integer - 1) AS place RETURNING room_id, user_id
"""


SEQ = re.compile(rb'"type":"chat","seq":(\d+),')
NUMBER = rb'"client_msg_id":"bench-(\d+)"'
HEARD = re.compile(rb'"type":"chat","[^}]*?' + NUMBER)
ACKED = re.compile(rb'"type":"chat_ack","[^}]*?' + NUMBER)
LONGEST_FRAME = 1024


class Attentive(Client):
    """Somebody's websocket, which notes the numbers of what it hears and of what was acked to it."""

    def __init__(self, path: str, town: Town, person: Person) -> None:
        super().__init__(ROOMS, path, town.tally, town.latencies)
        self._town, self._person = town, person
        self._end = b""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        seen = self._end + data  # a frame that is cut in two is seen with the second part
        self._person.heard.update(map(int, HEARD.findall(seen)))
        self._person.seq = max(self._person.seq, *map(int, SEQ.findall(seen)), 0)
        self._town.acked.update(map(int, ACKED.findall(seen)))
        self._end = seen[-LONGEST_FRAME:]

    def connection_lost(self, exc: Exception | None) -> None:
        was_ready = self.ready.done()
        super().connection_lost(exc)
        if was_ready and self._person.client is self:
            self._town.dropped(self._person)


@dataclass
class Person:
    """Somebody in a room, with the one websocket of theirs, the numbers of what they heard, the last seq."""

    room_id: str
    user_id: int
    client: Client | None = None
    heard: set[int] = field(default_factory=set)
    seq: int = 0


@dataclass
class Reading:
    """What PostgreSQL has done so far."""

    at: float
    cpu: float
    transactions: int
    wal_bytes: int
    rows: int

    def since(self, before: Reading) -> dict[str, float]:
        """A second."""
        took = self.at - before.at
        names = ("cpu", "transactions", "wal_bytes", "rows")
        return {name: round((getattr(self, name) - getattr(before, name)) / took, 3) for name in names}


class Town:
    """Everybody, and what they do."""

    def __init__(self, ours: Rooms, database: asyncpg.Connection[asyncpg.Record], every: float) -> None:
        self.ours = ours
        self.people: list[Person] = []
        self.epoch = ""
        self.said = 0
        self.drops = 0  # websockets that nobody meant to lose
        self._coming: set[asyncio.Task[None]] = set()
        self.again: Counter[str] = Counter()  # why somebody had to try again
        self.acked: set[int] = set()
        self.tally = Tally()
        self.latencies: list[float] = []
        self._database = database
        self._every = every

    async def settle(self, people: int) -> None:
        """Rooms of ten, written into the tables as joining does; then everybody comes by their websocket."""
        rows = await self._database.fetch(MEMBERS, people, ROOM)
        self.people = [Person(str(row["room_id"]), row["user_id"]) for row in rows]
        self.epoch = str(await self._database.fetchval("SELECT epoch FROM rooms.deployment"))
        gate = asyncio.Semaphore(100)

        async def come(person: Person) -> None:
            async with gate:
                await self.come(person)

        await asyncio.gather(*map(come, self.people))

    def path(self, person: Person) -> str:
        """Of their room, for what was said since the last they heard."""
        token = kit.token(person.user_id)
        where = f"epoch={self.epoch}&last_seq={person.seq}"
        return f"/ws/rooms/{person.room_id}?access_token={token}&{where}"

    async def come(self, person: Person) -> None:
        """Connect. Tries again as the page does."""
        loop = asyncio.get_running_loop()
        source = (f"127.0.0.{2 + person.user_id % SOURCES}", 0)
        give_up = loop.time() + PATIENCE
        while loop.time() < give_up:
            try:
                async with asyncio.timeout(10):
                    _, person.client = await loop.create_connection(
                        lambda: Attentive(self.path(person), self, person),
                        "127.0.0.1",
                        self.ours.process.port,
                        local_addr=source,
                    )
                    await person.client.ready
                    return
            except (OSError, TimeoutError) as error:
                self.again[why(error)] += 1
                cut(person)
            await asyncio.sleep(random.uniform(0.5, 2))

    def dropped(self, person: Person) -> None:
        """They come back, as the page does."""
        self.drops += 1
        task = asyncio.create_task(self.come(person))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def lose(self, how: str) -> None:
        """Every websocket."""
        for person in self.people:
            cut(person)
        if how == "restart":
            await self.ours.restart()

    async def return_within(self, seconds: float) -> list[float]:
        """Each at a moment of their own; how long each took."""
        began = time.perf_counter()

        async def back(person: Person) -> float:
            due = began + random.uniform(0, seconds)
            await asyncio.sleep(due - time.perf_counter())
            await self.come(person)
            return time.perf_counter() - due

        return await asyncio.gather(*map(back, self.people))

    async def talk(self) -> None:
        """Whoever is there writes a message `every` so many seconds."""
        began, due = time.perf_counter(), 0
        while True:
            now = time.perf_counter()
            while began + due * self._every / len(self.people) <= now:
                client = random.choice(self.people).client
                due += 1
                if client is not None and client.ready.done() and not client.lost:
                    self.said += 1
                    client.say(self.said, TEXT, now)
            await asyncio.sleep(0.01)

    async def read(self) -> Reading:
        row = await self._database.fetchrow(
            "SELECT xact_commit + xact_rollback AS transactions,"
            " tup_inserted + tup_updated + tup_deleted AS rows, (SELECT wal_bytes FROM pg_stat_wal) AS wal"
            " FROM pg_stat_database WHERE datname = current_database()"
        )
        assert row is not None
        cpu = self.ours.process.cpu_beside
        return Reading(time.perf_counter(), cpu, row["transactions"], int(row["wal"]), row["rows"])

    def lost(self) -> int:
        return sum(person.client is None or person.client.lost for person in self.people)

    async def all_said(self) -> tuple[int, int]:
        """What is missing still PATIENCE after the last was said; at best nothing, and then sooner."""
        for _ in range(int(PATIENCE)):
            if not any(await self.missing()):
                break
            await asyncio.sleep(1)
        return await self.missing()

    async def missing(self) -> tuple[int, int]:
        """Messages that were acked and are not in the log; and how often one that is there was not heard."""
        rows = await self._database.fetch(
            "SELECT room_id, substring(client_msg_id FROM 7)::integer AS number FROM rooms.events"
            " WHERE client_msg_id LIKE 'bench-%'"
        )
        said: dict[str, set[int]] = defaultdict(set)
        for row in rows:
            said[str(row["room_id"])].add(row["number"])
        unheard = sum(len(said[person.room_id] - person.heard) for person in self.people)
        return len(self.acked - set[int]().union(*said.values())), unheard


def cut(person: Person) -> None:
    """From outside, and meant so."""
    client, person.client = person.client, None
    if client is not None:
        client.transport.abort()


def why(error: Exception) -> str:
    """In a word: the HTTP status or the close of a refusal, or the kind of error."""
    status = re.search(r"HTTP/1\.1 (\d+)", str(error))
    return status[1] if status else type(error).__name__


async def bench(options: argparse.Namespace) -> dict[str, Any]:
    with stack.valkey() as cache:
        async with our_rooms(REDIS_URL=cache.url) as ours:
            database = await asyncpg.connect(ours.talk.config.database_url)
            town = Town(ours, database, options.every)
            print(f"{options.people} people are coming into {options.people // ROOM} rooms …")
            await town.settle(options.people)
            town.again.clear()
            talking = asyncio.create_task(town.talk())
            await asyncio.sleep(options.settled)
            found: dict[str, Any] = {"people": options.people, "within_s": options.within, "how": options.how}
            found["normal"] = await watched(town, asyncio.sleep(options.within))
            await town.lose(options.how)
            took: list[float] = []

            async def storm() -> None:
                began = time.perf_counter()
                took.extend(await town.return_within(options.within))
                found["storm_s"] = round(time.perf_counter() - began, 1)

            found["storm"] = await watched(town, storm())
            found["back_p50_s"], found["back_p99_s"] = (round(each, 3) for each in percentiles(took, 50, 99))
            found["not_back"], found["again"] = town.lost(), dict(town.again)
            await asyncio.sleep(options.settled)
            found["after"] = await watched(town, asyncio.sleep(options.settled))
            talking.cancel()
            found["acked_and_lost"], found["unheard"] = await town.all_said()
            found["acked"], found["dropped"] = len(town.acked), town.drops
            await town.lose("cut")
            await database.close()
    tell(found)
    return found


async def watched(town: Town, work: Any) -> dict[str, float]:
    """PostgreSQL's load, and that of rooms and of ourselves, while this goes on."""
    said, cpu, own, before = town.said, town.ours.process.cpu, time.process_time(), await town.read()
    town.latencies.clear()
    await work
    after = await town.read()
    took = after.at - before.at
    return {
        **after.since(before),
        "rooms_cpu": round((town.ours.process.cpu - cpu) / took, 3),
        "load_cpu": round((time.process_time() - own) / took, 3),
        "messages": round((town.said - said) / took, 1),
        "ack_p99_ms": round(percentiles(town.latencies, 99)[0] * 1000, 1),
    }


def percentiles(values: Sequence[float], *which: int) -> list[float]:
    ordered = sorted(values) or [0.0]
    return [ordered[min(len(ordered) - 1, len(ordered) * each // 100)] for each in which]


def tell(found: dict[str, Any]) -> None:
    print(f"\na second          {'normal':>10}{'storm':>10}{'after':>10}   storm / normal")
    for name in found["normal"]:
        normal, storm, after = (found[phase][name] for phase in ("normal", "storm", "after"))
        ratio = f"{storm / normal:>10.2f}" if normal else ""
        print(f"{name:<16}{normal:>12,.2f}{storm:>10,.2f}{after:>10,.2f}{ratio}")
    again = ", ".join(f"{count} {what}" for what, count in found["again"].items()) or "none"
    print(f"{found['not_back']} did not come back; tries that failed: {again}", end="")
    print(
        f"; it took {found['back_p50_s']} s (p50), {found['back_p99_s']} s (p99), {found['storm_s']} s in all"
    )
    print(
        f"{found['acked']} messages acked, {found['acked_and_lost']} of them lost;"
        f" {found['unheard']} times somebody did not hear one; {found['dropped']} websockets were dropped"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.storm", description=__doc__)
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--within", type=float, default=30.0, help="seconds in which all come back")
    parser.add_argument("--every", type=float, default=20.0, help="seconds between two messages of a person")
    parser.add_argument(
        "--how", choices=("cut", "restart"), default="cut", help="what takes the websockets away"
    )
    parser.add_argument(
        "--settled",
        type=float,
        default=12.0,
        help="seconds between two measures, longer than rooms waits for those who are gone",
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    before = os.getloadavg()[0]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        found = runner.run(bench(options))
    if options.json:
        found["machine"] = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        found["load_before"] = round(before, 2)
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
