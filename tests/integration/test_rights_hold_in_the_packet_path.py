"""Who may not speak is heard by nobody: not one packet said later than 100 ms after the moderator's ack.

Everybody in the meeting talks all the time, and each packet says who said it, and when. So it is known of
each packet that comes whether it should have, however slow the machine is.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from bench.forward.client import made_at, payload_of, stamped
from tests.integration.conftest import NewStudent
from tests.integration.student import PATIENCE, Student

#: In force so long after the ack, seconds.
SOON = 0.1
#: Packets said to no avail.
ENOUGH = 25


class Meeting:
    """Anna's room: Carol is a moderator, Boris a member who is to be silenced. `last` is when the last packet
    that a listener has of a speaker was said."""

    def __init__(self, anna: Student, boris: Student, carol: Student) -> None:
        self.anna, self.boris, self.carol = anna, boris, carol
        self.voices = {each: each.voice for each in (anna, boris, carol)}
        self.last: defaultdict[tuple[Student, str], float] = defaultdict(float)

    @property
    def room(self) -> str:
        return self.anna.room

    async def _talk(self) -> None:
        """A packet of everybody each 10 ms; and whatever came is taken in."""
        while True:
            for student, voice in self.voices.items():
                voice.send(student.id.encode() + stamped(9))
            for listener in (self.anna, self.carol):
                self.voices[listener].receive(functools.partial(self._take, listener))
            await asyncio.sleep(0.01)

    def _take(self, listener: Student, packet: bytes) -> None:
        payload = payload_of(packet)
        key = listener, payload[:-9].decode()
        self.last[key] = max(self.last[key], made_at(payload))

    @asynccontextmanager
    async def talking(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._talk())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def boris_is_heard(self) -> None:
        """Something that he says from now on comes to both."""
        now = time.monotonic()
        await _until(lambda: all(self.last[each, self.boris.id] > now for each in (self.anna, self.carol)))

    async def boris_is_not_heard(self) -> None:
        """Of what he says from 100 ms after now on nothing comes to anybody.

        On a machine so slow that the worker has not been reached by then it is from when it has. Then the
        others hear each other: the worker takes packets as they come, and so it has had all of his too.
        """
        soon = time.monotonic() + SOON
        await self.carol.hears_from_the_worker()
        since = max(soon, time.monotonic())
        await _until(lambda: time.monotonic() > since)
        his = self.voices[self.boris]
        said = his.sent
        await _until(lambda: his.sent >= said + ENOUGH)
        now = time.monotonic()
        await _until(lambda: self.last[self.anna, self.carol.id] > now < self.last[self.carol, self.anna.id])
        assert self.last[self.anna, self.boris.id] <= since
        assert self.last[self.carol, self.boris.id] <= since

    async def boris_offers(self) -> None:
        """A new voice, of which the worker has never heard a packet."""
        await self.boris.speak_up()
        self.voices[self.boris] = self.boris.voice

    async def moderate(self, action: str, **more: Any) -> None:
        """Returns with the ack."""
        await self.anna.send("moderate", action=action, user_id=self.boris.id, **more)
        await self.anna.frame("ack")


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  # what it waits for is in the kernel
            await asyncio.sleep(0.005)


@pytest.fixture
async def meeting(student: NewStudent) -> AsyncIterator[Meeting]:
    anna, boris, carol = [await student(name) for name in ("Anna", "Boris", "Carol")]
    room = await anna.create_room("Rights")
    async with AsyncExitStack() as stack:
        for each in (anna, boris, carol):
            await stack.enter_async_context(each.in_room(room))
            await each.speak_up()
        await anna.send("moderate", action="role", user_id=carol.id, role="moderator")
        await anna.frame("ack")
        meeting = Meeting(anna, boris, carol)
        await stack.enter_async_context(meeting.talking())
        yield meeting


async def mute(meeting: Meeting, holds: bool) -> None:
    await meeting.moderate("mute" if holds else "unmute")


async def listen_only(meeting: Meeting, holds: bool) -> None:
    await meeting.anna.call("PATCH", f"/rooms/{meeting.room}", {"listen_only": holds})


async def listener(meeting: Meeting, holds: bool) -> None:
    await meeting.moderate("role", role="listener" if holds else "member")


@pytest.mark.parametrize("silence", [mute, listen_only, listener])
async def test_who_may_not_speak_is_not_heard_and_then_again_without_an_offer(
    meeting: Meeting, silence: Callable[[Meeting, bool], Awaitable[None]]
) -> None:
    await meeting.boris_is_heard()
    await silence(meeting, True)
    await meeting.boris_is_not_heard()
    await silence(meeting, False)
    await meeting.boris_is_heard()


async def test_a_listener_who_becomes_a_member_speaks_without_an_offer(meeting: Meeting) -> None:
    await listener(meeting, holds=True)
    await meeting.boris_offers()
    await meeting.boris_is_not_heard()
    await listener(meeting, holds=False)
    await meeting.boris_is_heard()


@pytest.mark.parametrize("action", ["kick", "ban"])
async def test_who_is_sent_out_is_not_heard(meeting: Meeting, action: str) -> None:
    await meeting.boris_is_heard()
    await meeting.moderate(action)
    await meeting.boris_is_not_heard()


async def test_who_leaves_is_not_heard(meeting: Meeting) -> None:
    await meeting.boris_is_heard()
    await meeting.boris.post(f"/rooms/{meeting.room}/leave")
    await meeting.boris_is_not_heard()
