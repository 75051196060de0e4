"""A run: rounds of talk with faults in the midst of it, and after each round everybody has the same log."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from common.errors import CwrkError
from tests.chaos import cluster as clusters
from tests.chaos.checker import Violation, check
from tests.chaos.client import Budget, Client
from tests.chaos.cluster import Cluster
from tests.chaos.history import Event, History, Message, state
from tests.chaos.nemesis import FAULTS, plan
from tests.chaos.servers import Servers

STRIKE_AFTER = (0.02, 0.5)  # of a round's sends
SETTLE_SECONDS = 240.0  # past it somebody is stuck


class Stuck(AssertionError):
    """The clients did not come to rest, though nothing is wrong any more."""


@dataclass(frozen=True)
class Settings:
    """How much of what. `hold`: the least and the most seconds that a fault lasts."""

    seed: int
    clients: int
    rooms: int
    sends: int
    times: int
    at_once: int
    hold: tuple[float, float]
    say: Callable[[str], None] = print


@dataclass
class Run:
    """The clients of some servers, and what is known of their logs."""

    cluster: Servers
    settings: Settings
    rng: random.Random
    clients: list[Client]
    budget: Budget
    counts: Counter[str]
    logs: dict[str, list[Event]] = field(default_factory=dict)

    async def talk(self, sends: int) -> None:
        """Talk without faults, then everybody rests and compares."""
        self.talk_on(sends)
        await self.settle()
        await self.compare()

    def talk_on(self, sends: int, *, endless: bool = False) -> None:
        """From here on there is something to say."""
        self.budget.left, self.budget.endless = sends, endless
        for client in self.clients:
            client.wake()

    async def settle(self) -> None:
        """Until everything that is to be said is acked, and everybody has the whole log."""
        async with self._patience():
            while not (self._at_rest() and await self._all_at_head()):
                refused = [f"{c.history.user_id}: {r}" for c in self.clients for r in c.refusals]
                assert not refused, f"{refused}\n{self.cluster.ends_of_logs()}"
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def _patience(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                yield
        except TimeoutError:
            raise Stuck(f"{self._who_is_behind()}\n{self.cluster.ends_of_logs()}") from None

    def _at_rest(self) -> bool:
        return self.budget.left <= 0 and all(client.at_rest for client in self.clients)

    async def _all_at_head(self) -> bool:
        """Whether the logs as they are now are everybody's: what was abandoned may be saved still."""
        for room_id, known in self.logs.items():
            head, events = await self.cluster.log(room_id, after=len(known))
            known += events
            assert head == len(known), f"room {room_id} has {len(known)} events and its head says {head}"
        return all(client.history.last_seq == len(self._log_of(client)) for client in self.clients)

    def _log_of(self, client: Client) -> list[Event]:
        return self.logs[client.history.room_id]

    def _who_is_behind(self) -> str:
        """Each client that is not at rest, or not at its room's end."""
        told = [f"{self.budget.left} still to be said"]
        for client in self.clients:
            has, head = client.history.last_seq, len(self._log_of(client))
            if not client.at_rest or has != head:
                told.append(f"user {client.history.user_id} has {has} of {head}, {client.state}")
        return "\n".join(told)

    async def compare(self) -> None:
        """What each client has applied is the log, and what one of each room reads afresh is the same."""
        if any(client.history.applied != self._log_of(client) for client in self.clients):
            await self.judge()
            raise AssertionError("what clients have applied was not the log, and then it was")
        states = {room_id: state(self.inside(room_id)[0].applied) for room_id in self.logs}
        for client in self.clients:
            same = state(client.history.applied) == states[client.history.room_id]
            assert same, f"user {client.history.user_id} shows other messages than others do"
        for room_id, shown in states.items():
            length = len(self.logs[room_id])
            read = await self._messages(room_id, self.rng.choice(self.inside(room_id)).user_id)
            if (await self.cluster.log(room_id))[0] != length:
                continue  # something that was abandoned was saved just now
            different = [msg_id for msg_id in shown if read.get(msg_id) != shown[msg_id]]
            told = [(shown[msg_id], read.get(msg_id)) for msg_id in different[:5]]
            assert not different, f"clients show what nobody reads afresh: {told}"

    async def _messages(self, room_id: str, user_id: int) -> dict[str, Message]:
        while True:
            try:
                return await self.cluster.messages(self.rng.choice(self.cluster.replicas), room_id, user_id)
            except CwrkError:
                await asyncio.sleep(0.2)  # of a replica whose pool still holds dead connections

    async def judge(self) -> None:
        """Everything there is, against the tables as they are."""
        while True:
            await self.settle()
            tables = {room_id: (await self.cluster.log(room_id))[1] for room_id in self.logs}
            if all(c.history.last_seq == len(tables[c.history.room_id]) for c in self.clients):
                break  # else something abandoned was saved just now
        epoch = await self.cluster.epoch()
        found: list[Violation] = []
        for room_id, log in tables.items():
            inside = self.inside(room_id)
            found += check(epoch, log, len(self.logs[room_id]), inside, settled=True)
        elsewhere = [client.history.user_id for client in self.clients if client.history.epoch != epoch]
        assert not elsewhere, f"users {elsewhere} live in another epoch than {epoch}"
        told = "\n".join(map(str, found[:20]))
        assert not found, f"{len(found)} violations, seed {self.settings.seed}:\n{told}"

    def inside(self, room_id: str) -> list[History]:
        """Who is in this room."""
        return [client.history for client in self.clients if client.history.room_id == room_id]


@dataclass
class Rounds(Run):
    """With faults in the midst of the talk."""

    cluster: Cluster

    async def through(self) -> None:
        """All rounds. Raises AssertionError with the violations."""
        rounds = plan(self.rng, times=self.settings.times, at_once=self.settings.at_once)
        for number, faults in enumerate(rounds, 1):
            began, before = time.monotonic(), self.counts["acks"]
            await self.round(faults, -(-self.settings.sends // len(rounds)))
            acks, seconds = self.counts["acks"] - before, time.monotonic() - began
            self.settings.say(
                f"round {number} of {len(rounds)}: {', '.join(faults)}; {acks} acks in {seconds:.1f} s"
            )
        await self.judge()

    async def round(self, faults: Sequence[str], sends: int) -> None:
        """Talk, in the midst of it the faults, all at once; then everybody rests and compares."""
        self.talk_on(sends, endless=True)
        strike_at = sends - int(sends * self.rng.uniform(*STRIKE_AFTER))
        async with self._patience():
            while self.budget.left > strike_at:  # noqa: ASYNC110  # a number that goes down
                await asyncio.sleep(0.01)
        async with AsyncExitStack() as striking:
            for fault in faults:
                self.counts[f"fault: {fault}"] += 1
                await striking.enter_async_context(FAULTS[fault](self.cluster, self.rng))
            await asyncio.sleep(self.rng.uniform(*self.settings.hold))
        self.budget.endless = False
        await self.cluster.ready()
        await self.settle()
        await self.compare()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Rounds]:
    """A cluster with connected clients; all gone afterwards."""
    rng = random.Random(settings.seed)
    counts: Counter[str] = Counter()
    budget = Budget()
    async with (
        clusters.running() as cluster,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
    ):
        inside = [list(range(n + 1, settings.clients + 1, settings.rooms)) for n in range(settings.rooms)]
        clients = []
        logs: dict[str, list[Event]] = {}
        for user_ids in inside:
            room_id = await cluster.make_room(*user_ids)
            logs[room_id] = []
            for user_id in user_ids:
                own = random.Random(f"{settings.seed}-{user_id}")
                clients.append(Client(History(user_id, room_id), cluster, http, budget, own, counts))
        tasks = [asyncio.create_task(client.run()) for client in clients]
        try:
            yield Rounds(cluster, settings, rng, clients, budget, counts, logs)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        faults = [each for each in ended if isinstance(each, Exception)]
        if faults:
            raise ExceptionGroup("clients that failed", faults)
