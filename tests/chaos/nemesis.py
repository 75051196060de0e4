"""What goes wrong: each fault strikes on entering, is over on leaving, and picks its victims with `rng`."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

from tests.chaos.cluster import Cluster, Replica
from tests.rooms.proxy import Which, every, listening

Fault: TypeAlias = Callable[[Cluster, random.Random], AbstractAsyncContextManager[None]]

COMMITS_LOST = 3
COMMITS_LOST_EVERY_SECONDS = 0.2


@asynccontextmanager
async def replica_killed(cluster: Cluster, rng: random.Random) -> AsyncIterator[None]:
    replica = rng.choice(cluster.replicas)
    await cluster.do(replica.kill)
    yield
    await cluster.do(replica.start)


@asynccontextmanager
async def replica_drained(cluster: Cluster, rng: random.Random) -> AsyncIterator[None]:
    replica = rng.choice(cluster.replicas)
    await cluster.do(replica.drain)
    yield
    await cluster.do(replica.start)


@asynccontextmanager
async def replica_frozen(cluster: Cluster, rng: random.Random) -> AsyncIterator[None]:
    """It wakes up with a view of the world that is some seconds old."""
    replica = rng.choice(cluster.replicas)
    replica.signal(signal.SIGSTOP)
    yield
    replica.signal(signal.SIGCONT)


@asynccontextmanager
async def postgres_killed(cluster: Cluster, rng: random.Random) -> AsyncIterator[None]:
    """All of its processes as a crash does it (SIGQUIT), or the first of them alone."""
    if cluster.postgres.process is not None and rng.random() < 0.5:
        cluster.postgres.process.send_signal(signal.SIGQUIT)
        await cluster.do(cluster.postgres.process.wait)
    await cluster.do(cluster.postgres.kill)
    yield
    await cluster.do(cluster.postgres.start)


@asynccontextmanager
async def valkey_killed(cluster: Cluster, rng: random.Random) -> AsyncIterator[None]:
    await cluster.do(cluster.valkey.kill)
    yield
    await cluster.do(cluster.valkey.start)


@asynccontextmanager
async def valkey_link_cut(cluster: Cluster, rng: random.Random) -> AsyncIterator[None]:
    cut = _some(cluster, rng)
    for replica in cut:
        await replica.valkey.cut()
    yield
    for replica in cut:
        await replica.valkey.restore()


@asynccontextmanager
async def notices_cut(cluster: Cluster, rng: random.Random) -> AsyncIterator[None]:
    """What replicas publish goes out, what they listen to is lost."""
    cut = _some(cluster, rng)
    for replica in cut:
        await replica.valkey.keep_cutting(listening)
    yield
    for replica in cut:
        await replica.valkey.restore()


@asynccontextmanager
async def database_link_cut(cluster: Cluster, rng: random.Random) -> AsyncIterator[None]:
    replica = rng.choice(cluster.replicas)
    await replica.database.cut()
    yield
    await replica.database.restore()


@asynccontextmanager
async def commits_lost(cluster: Cluster, rng: random.Random) -> AsyncIterator[None]:
    """Connections cut at COMMIT: before it arrives, or before its answer does."""
    for _ in range(COMMITS_LOST):
        for replica in cluster.replicas:
            replica.database.lose_next_commit(arrives=rng.random() < 0.5)
        await asyncio.sleep(COMMITS_LOST_EVERY_SECONDS)
    yield


@asynccontextmanager
async def commit_stalled(cluster: Cluster, rng: random.Random) -> AsyncIterator[None]:
    replica = rng.choice(cluster.replicas)
    replica.database.stall_next_commit()
    yield
    replica.database.go_on()


@asynccontextmanager
async def connections_reset(cluster: Cluster, rng: random.Random) -> AsyncIterator[None]:
    for replica in cluster.replicas:
        await replica.door.reset(_half(replica, rng))
    yield


@asynccontextmanager
async def connections_stalled(cluster: Cluster, rng: random.Random) -> AsyncIterator[None]:
    for replica in cluster.replicas:
        replica.door.stall(_half(replica, rng))
    yield
    for replica in cluster.replicas:
        replica.door.go_on()


def _stalled(link: str, which: Which) -> Fault:
    """The link of some replicas stays open and says nothing."""

    @asynccontextmanager
    async def stalled(cluster: Cluster, rng: random.Random) -> AsyncIterator[None]:
        replicas = _some(cluster, rng)
        for replica in replicas:
            getattr(replica, link).stall(which)
        yield
        for replica in replicas:
            getattr(replica, link).go_on()

    return stalled


FAULTS: dict[str, Fault] = {
    "replica killed": replica_killed,
    "replica drained": replica_drained,
    "replica frozen": replica_frozen,
    "PostgreSQL killed": postgres_killed,
    "Valkey killed": valkey_killed,
    "link to Valkey cut": valkey_link_cut,
    "link to Valkey stalled": _stalled("valkey", every),
    "notices alone cut": notices_cut,
    "notices alone stalled": _stalled("valkey", listening),
    "link to PostgreSQL cut": database_link_cut,
    "link to PostgreSQL stalled": _stalled("database", every),
    "COMMITs lost": commits_lost,
    "COMMIT stalled": commit_stalled,
    "connections reset": connections_reset,
    "connections stalled": connections_stalled,
}


def plan(rng: random.Random, *, times: int, at_once: int) -> list[list[str]]:
    """Rounds of up to `at_once` different faults, in which each fault comes `times` times."""
    rounds: list[list[str]] = []
    for _ in range(times):
        names = rng.sample(sorted(FAULTS), len(FAULTS))
        while names:
            count = rng.randint(1, at_once)
            rounds.append(names[:count])
            del names[:count]
    return rounds


def _some(cluster: Cluster, rng: random.Random) -> Sequence[Replica]:
    """One replica, or all."""
    return rng.choice([[rng.choice(cluster.replicas)], cluster.replicas])


def _half(replica: Replica, rng: random.Random) -> Which:
    """Every second of its connections, by chance."""
    chosen = {line for line in replica.door.lines if rng.random() < 0.5}
    return lambda line: line in chosen
