"""The others in the room: real accounts, websockets and voices, as light as they can be."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

import aiohttp

from tests.integration.student import Student
from tests.services import Stack

#: What they wait for. All else that the room says is only taken off the wire.
_WANTED = tuple(f'"type":"{kind}"' for kind in ("state", "answer", "error", "chat_ack", "voice_lost"))
_HEAD = 40
#: That come at the same time.
AT_ONCE = 8

WORDS = (
    "I have the exercises of sheet 4 open, the second one is the nasty one.",
    "Same here.",
    "Take row 1 from row 3 first, then it is just the diagonal, and $\\det(A - \\lambda I) = 0$ falls out.",
    "See https://en.wikipedia.org/wiki/Gaussian_elimination, the part about `pivot` and what comes after it",
    "Спасибо, теперь ясно!",
    "Break at ten past?",
)


class Member(Student):
    """Somebody in the room who reads nothing of what the others say."""

    stay: contextlib.AsyncExitStack

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if any(kind in message.data[:_HEAD] for kind in _WANTED):
                frame = message.json()
                self._queue(frame["type"]).put_nowait(frame)
        self.close_code = socket.close_code
        self.closed.set()

    def must_still_be_heard(self) -> None:
        """Raises ConnectionError where the worker has given up the voice of now."""
        lost = self._queue("voice_lost")
        while not lost.empty():
            payload = lost.get_nowait()["payload"]
            if payload["voice_id"] == self.voice_id:
                raise ConnectionError(f"{self.name}'s voice was lost: {payload['reason']}")

    async def say_something(self, number: int) -> None:
        """Does not wait for the ack."""
        text = f"{number}. {WORDS[number % len(WORDS)]}"
        await self.send("chat", message=text, client_msg_id=f"said-{number}")

    async def come(self, room: str) -> None:
        self.stay = contextlib.AsyncExitStack()
        await self.stay.enter_async_context(self.in_room(room))

    async def go(self) -> None:
        await self.stay.aclose()
        await self.post(f"/rooms/{self.room}/leave")


class Room:
    """A room and those in it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._here = contextlib.AsyncExitStack()
        self._numbers = itertools.count(1)
        self._said = itertools.count(1)
        self.id = ""
        self.members: list[Member] = []

    @property
    def path(self) -> str:
        return f"/r/{self.id}"

    @classmethod
    @contextlib.asynccontextmanager
    async def with_people(cls, stack: Stack, count: int) -> AsyncIterator[Room]:
        room = cls(stack)
        async with room._here:
            founder = await room._registered()
            room.id = await founder.create_room("Linear algebra, mornings", max=100)
            await room._enters(founder)
            while len(room.members) < count:
                await asyncio.gather(*(room._comes() for _ in range(min(AT_ONCE, count - len(room.members)))))
            try:
                yield room
            finally:
                for member in room.members:
                    await member.stay.aclose()

    async def _registered(self) -> Member:
        context = Member.registered(self._stack.url, self._stack.ws_url, f"Student {next(self._numbers):02}")
        return await self._here.enter_async_context(context)

    async def _comes(self) -> None:
        await self._enters(await self._registered())

    async def _enters(self, member: Member) -> None:
        await member.come(self.id)
        self.members.append(member)

    async def goes_and_comes(self, member: Member) -> None:
        """Gives the seat back, and takes one again."""
        await member.go()
        await member.come(self.id)

    async def say(self, *, a_second: float, count: int) -> None:
        """So many messages, one after the other, from each in turn."""
        clock = asyncio.get_running_loop().time
        due = clock()
        for _ in range(count):
            number = next(self._said)
            await self.members[number % len(self.members)].say_something(number)
            due += 1 / a_second
            await asyncio.sleep(max(0.0, due - clock()))

    async def says(self, text: str) -> str:
        """The id of the message, once it is saved."""
        host = self.members[0]
        known = next(self._said)
        await host.send("chat", message=text, client_msg_id=f"known-{known}")
        while (ack := await host.frame("chat_ack"))["client_msg_id"] != f"known-{known}":
            pass
        return str(ack["msg_id"])
