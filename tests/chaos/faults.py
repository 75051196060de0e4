"""What goes wrong at a site, one thing at a time: each strikes on entering, and is over on leaving.

What died is started again, as a supervisor or an orchestrator does it; nobody does anything else.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from tests.chaos.network import Machine
from tests.chaos.site import Site

#: After so long a supervisor starts again what ended.
ENDED_SECONDS: Final = 2.0
#: What hangs goes on, and a cable is mended: later than anybody may wait for it.
AWAY_SECONDS: Final = 6.0
SLOW_SECONDS: Final = 4.0
#: Of a cable at which people are it is all that they hear; so much longer each gap is by right.
HOME_SECONDS: Final = 1.5
#: Kilobits a second in each direction, and for how many ms a packet may wait. Three voices take 170.
SLOW: Final = 128, 400
#: What a room of four takes of its worker is 700.
SLOW_WORKER: Final = 600, 200

Strike = Callable[[Site, str], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def killed(site: Site, part: str) -> AsyncIterator[None]:
    """The process is gone at once (SIGKILL)."""
    await site.do(site.parts[part].kill)
    await asyncio.sleep(ENDED_SECONDS)
    yield
    await site.do(site.parts[part].start)


@asynccontextmanager
async def stopped(site: Site, part: str) -> AsyncIterator[None]:
    """It is told to stop (SIGTERM), does so, and is started again."""
    await site.do(site.parts[part].stop)
    yield
    await site.do(site.parts[part].start)


@asynccontextmanager
async def hung(site: Site, part: str) -> AsyncIterator[None]:
    """It does nothing any more (SIGSTOP), keeps its connections open, and then wakes up."""
    site.parts[part].signal(signal.SIGSTOP)
    await asyncio.sleep(AWAY_SECONDS)
    yield
    site.parts[part].signal(signal.SIGCONT)


@asynccontextmanager
async def cut(site: Site, part: str) -> AsyncIterator[None]:
    """Its machine's cable carries nothing, and nobody is told."""
    site.machines[part].cut()
    await asyncio.sleep(AWAY_SECONDS)
    yield
    site.machines[part].mend()


@asynccontextmanager
async def slow(site: Site, part: str) -> AsyncIterator[None]:
    """Its machine's cable carries little, late, and drops the rest."""
    site.machines[part].slow(*(SLOW_WORKER if part.startswith("media") else SLOW))
    await asyncio.sleep(SLOW_SECONDS)
    yield
    site.machines[part].mend()


@asynccontextmanager
async def home_cut(site: Site, part: str) -> AsyncIterator[None]:
    """The cable of half of the people carries nothing."""
    home: Machine = site.homes[0]
    home.cut()
    await asyncio.sleep(HOME_SECONDS)
    yield
    home.mend()


@asynccontextmanager
async def home_slow(site: Site, part: str) -> AsyncIterator[None]:
    """The cable of half of the people carries little more than what they say and hear."""
    home: Machine = site.homes[0]
    home.slow(400, 200)
    await asyncio.sleep(SLOW_SECONDS)
    yield
    home.mend()


@asynccontextmanager
async def rolling(site: Site, part: str) -> AsyncIterator[None]:
    """Everything of ours is stopped and started again, each when the one before is ready."""
    for program in site.programs:
        await site.do(program.drain)
        await site.do(program.start)
        await site.ready()
    yield


@dataclass(frozen=True)
class Fault:
    """`part`: what it strikes; `rooms` and `media` are those that the call is at. `bar`: seconds of silence
    that are allowed."""

    name: str
    part: str
    strike: Strike
    bar: float = 3.0


#: What has the most to lose by each kind of fault comes first.
PARTS: Final = {
    "media": "the media worker of the call",
    "rooms": "the replica of rooms that most are at",
    "gateway": "the gateway",
    "auth": "auth",
    "postgres": "PostgreSQL",
    "valkey": "Valkey",
}
KINDS: Final[dict[str, Strike]] = {
    "is killed": killed,
    "is stopped": stopped,
    "hangs": hung,
    "is cut off": cut,
    "has a slow network": slow,
}
FAULTS: Final = (
    *(
        Fault(f"{words} {kind}", part, strike, 1.0 if strike is stopped else 3.0)
        for part, words in PARTS.items()
        for kind, strike in KINDS.items()
    ),
    Fault("half of the people are cut off", "home", home_cut),
    Fault("half of the people have a slow network", "home", home_slow),
    Fault("everything is restarted, one after the other", "all", rolling, 1.0),
)
