"""A call and a chat that go on while one thing after the other breaks; what each costs."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from tests.chaos import site as sites
from tests.chaos.call import FRAME_SECONDS, Call
from tests.chaos.caller import Caller, Pace
from tests.chaos.checker import Kind, check
from tests.chaos.faults import Fault
from tests.chaos.history import History
from tests.chaos.run import Run, Settings
from tests.chaos.site import Site

PEOPLE = ("Anna", "Boris", "Eve", "Kim")
#: Heard within so long is heard; said for so long and not acked is late.
HEARD_SECONDS = 0.4
LATE_SECONDS = 1.0
CALM_SECONDS = 1.0
#: Past it somebody has to help.
PATIENCE_SECONDS = 90.0


@dataclass(frozen=True)
class Cost:
    """Of one fault, in seconds. `back`: from the strike until all hear all and no ack is late."""

    fault: Fault
    lasted: float
    acked: int
    lost: int
    gap: float
    anew: int  # connections of voices that were made anew
    moved: bool  # the room, to another worker
    back: float

    @property
    def within(self) -> bool:
        return not self.lost and self.gap <= self.fault.bar


@dataclass
class Evening:
    """The people of one room. `run` has the chat: its clients, its log, and how it settles."""

    site: Site
    run: Run
    callers: list[Caller]
    began: float
    slowest_tick: float = 0.0

    def __post_init__(self) -> None:
        self._bad_at = self.began

    @property
    def room_id(self) -> str:
        return self.callers[0].history.room_id

    async def watch(self) -> None:
        """Notes when all is not well, for as long as this runs."""
        while True:
            if not self._whole():
                self._bad_at = asyncio.get_running_loop().time()
            await asyncio.sleep(FRAME_SECONDS)

    async def talk(self, caller: Caller) -> None:
        """Somebody's voice, with a phase of its own, for as long as this runs."""
        loop = asyncio.get_running_loop()
        due = loop.time() + caller.rng.uniform(0, FRAME_SECONDS)
        while True:
            caller.call.tick()
            due += FRAME_SECONDS
            late = loop.time() - due
            self.slowest_tick = max(self.slowest_tick, late)
            if late > 0:
                due = loop.time()  # who could not speak does not say it all at once
            await asyncio.sleep(due - loop.time())

    def _whole(self) -> bool:
        """Whether everybody is connected and hears everybody, and nothing said waits for long."""
        now = asyncio.get_running_loop().time()
        others = len(self.callers) - 1
        return all(
            caller.connected
            and caller.waits_for(now) < LATE_SECONDS
            and sum(now - at < HEARD_SECONDS for at in caller.call.gaps.last.values()) == others
            for caller in self.callers
        )

    async def calm(self) -> None:
        """Until all has been well for a while."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while loop.time() - self._bad_at < CALM_SECONDS:  # noqa: ASYNC110  # until a time
                await asyncio.sleep(FRAME_SECONDS)  # a clock

    async def suffer(self, fault: Fault) -> Cost:
        """One fault, from calm to calm. Raises AssertionError where the chat broke another promise."""
        loop, run = asyncio.get_running_loop(), self.run
        run.talk_on(0, endless=True)
        await self.calm()
        placed = await self.site.placement(self.room_id)
        struck = {
            "rooms": Counter(caller.at for caller in self.callers).most_common(1)[0][0],
            "media": placed.worker,
        }.get(fault.part, fault.part)
        acks = run.counts["acks"]
        anew = sum(caller.call.begun for caller in self.callers)
        began = loop.time()
        for caller in self.callers:
            caller.call.gaps.afresh(began)
        async with fault.strike(self.site, struck):
            pass
        ended = loop.time()
        await self.site.ready()
        try:
            await self.calm()
        except TimeoutError:
            raise AssertionError(
                f"{fault.name}: not back after {PATIENCE_SECONDS} s\n{self.told()}"
            ) from None
        back = max(0.0, self._bad_at - began) if self._bad_at > began else 0.0
        gap = max(caller.call.gaps.most for caller in self.callers)
        run.talk_on(0)
        await run.settle()
        return Cost(
            fault,
            ended - began,
            run.counts["acks"] - acks,
            await self._lost(),
            gap,
            sum(caller.call.begun for caller in self.callers) - anew,
            await self.site.placement(self.room_id) != placed,
            back,
        )

    async def _lost(self) -> int:
        """How many acked messages the log has not. Raises AssertionError where there is worse."""
        room_id = self.room_id
        head, log = await self.site.log(room_id)
        inside = self.run.inside(room_id)
        found = check(await self.site.epoch(), log, head, inside, settled=True)
        lost = [each for each in found if each.kind is Kind.LOST]
        assert len(lost) == len(found), "\n".join(map(str, found[:20]))
        return len(lost)

    def told(self) -> str:
        """For the report of a failure."""
        states = [f"{c.history.user_id}: {c.state}, hears {c.call.gaps.last}" for c in self.callers]
        return "\n".join([*states, self.site.ends_of_logs()])


@asynccontextmanager
async def going_on(seed: int) -> AsyncIterator[Evening]:
    """A site, and people at home who talk and write."""
    rng = random.Random(seed)
    counts: Counter[str] = Counter()
    async with contextlib.AsyncExitStack() as exits:
        site = await exits.enter_async_context(sites.running())
        user_ids = [await site.register(name) for name in PEOPLE]
        room_id = await site.make_room(*user_ids)
        callers, pace = [], Pace()
        for number, user_id in enumerate(user_ids):
            home = site.homes[number % len(site.homes)]
            connector = aiohttp.TCPConnector(limit=0, socket_factory=home.socket)
            http = await exits.enter_async_context(aiohttp.ClientSession(connector=connector))
            own = random.Random(f"{seed}-{user_id}")
            caller = Caller(History(user_id, room_id), site, http, pace.of_one(), own, counts)
            caller.call = Call(user_id, home, caller.say_now, own)
            exits.callback(caller.call.close)
            callers.append(caller)
        settings = Settings(seed, len(callers), 1, 0, 0, 0, (0, 0))
        run = Run(site, settings, rng, list(callers), pace, counts, {room_id: []})
        evening = Evening(site, run, callers, began=asyncio.get_running_loop().time())
        tasks = [
            asyncio.create_task(each)
            for each in (evening.watch(), *map(evening.talk, callers), *(c.run() for c in callers))
        ]
        try:
            yield evening
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        if faults := [each for each in ended if isinstance(each, Exception)]:
            raise ExceptionGroup("callers that failed", faults)
