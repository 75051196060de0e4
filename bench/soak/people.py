"""People who come and go: they log in, join a room, talk and write for a while, and leave in several ways."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp

from bench.soak.listener import Listener
from tests.integration.student import PASSWORD, Student
from tests.services import Stack

FRAME_SECONDS = 0.02
VOICE = bytes(80)
STAY_SECONDS = (4.0, 24.0)
AWAY_SECONDS = (0.2, 4.0)
MESSAGE_SECONDS = 2.0
LOGS_IN, TALKS, COMES_BACK, LEAVES = 0.5, 0.8, 0.3, 0.5
#: How often whoever comes deletes the room that is theirs, and makes another.
REPLACES = 0.1


@dataclass
class People:
    """Everybody; the first few have made a room each, where all meet. `counts`: what was done."""

    chain: Stack
    rng: random.Random
    rooms: int
    counts: Counter[str] = field(default_factory=Counter)
    #: Set: everybody goes home, and stays there.
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _rooms: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    async def come(self, count: int) -> None:
        """They register, and come and go until it is `over`."""
        chain = self.chain
        async with AsyncExitStack() as exits:
            everybody = [
                await exits.enter_async_context(
                    Student.registered(chain.url, chain.ws_url, f"Person {number}")
                )
                for number in range(count)
            ]
            for each in everybody[: self.rooms]:
                self._rooms.append(await each.create_room("Soak"))
            async with self._listening(), asyncio.TaskGroup() as group:
                for number, each in enumerate(everybody):
                    group.create_task(self._come_and_go(each, number))

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        bot = Listener(self.chain.url, lambda: self.rng.choice(self._rooms), self.counts)
        task = asyncio.create_task(bot.listen())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _come_and_go(self, person: Student, number: int) -> None:
        while not self.over.is_set():
            if number < self.rooms and self.rng.random() < REPLACES:
                await person.call("DELETE", f"/rooms/{self._rooms[number]}", status=204)
                self._rooms[number] = await person.create_room("Soak")
                self.counts["rooms replaced"] += 1
            if self.rng.random() < LOGS_IN:
                body = {"email": person.email, "password": PASSWORD}
                person.token = (await person.post("/auth/login", body))["accessToken"]
                self.counts["logins"] += 1
            try:
                await self._visit(person, self.rng.choice(self._rooms))
                self.counts["visits"] += 1
            except (AssertionError, aiohttp.WSServerHandshakeError, ConnectionError, TimeoutError) as problem:
                # Now and then the room is deleted while they come in.
                self.counts[f"cut short: {type(problem).__name__}"] += 1
            await self._pass(self.rng.uniform(*AWAY_SECONDS))

    async def _visit(self, person: Student, room: str) -> None:
        voice = False
        try:
            async with person.in_room(room):
                if voice := self.rng.random() < TALKS:
                    await person.speak_up()
                await self._stay(person, voice)
            if self.rng.random() < COMES_BACK:
                async with person.connected():
                    if voice:
                        await person.hears_from_the_worker()
                    await self._stay(person, voice)
                self.counts["came back"] += 1
            if self.rng.random() < LEAVES:
                await person.post(f"/rooms/{room}/leave")
                self.counts["left"] += 1
        finally:
            if voice:
                person.fall_silent()
                self.counts["voices"] += 1

    async def _stay(self, person: Student, voice: bool) -> None:
        """A packet of voice every 20 ms and a message now and then, for a while or until the room is gone."""
        clock = asyncio.get_running_loop().time
        ends, writes = clock() + self.rng.uniform(*STAY_SECONDS), 0.0
        while clock() < ends and not self.over.is_set() and not person.closed.is_set():
            if voice:
                person.voice.send(VOICE)
                person.voice.receive()
            if clock() > writes:
                await person.send("chat", message="How far are you?", client_msg_id=str(next(self._numbers)))
                self.counts["messages"] += 1
                writes = clock() + MESSAGE_SECONDS
            await asyncio.sleep(FRAME_SECONDS)

    async def _pass(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.over.wait()
        except TimeoutError:
            return
