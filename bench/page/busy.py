"""A room of fifty, ten of whom speak at once while others write: how much of the main thread it takes."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from playwright.async_api import Browser

from bench.page import browser as browsers
from bench.page import voices
from bench.page.browser import Probe
from bench.page.people import Room
from tests.services import Stack

PEOPLE = 50
SPEAKERS = 10
MESSAGES_A_SECOND = 10
#: Until the log on the page is as long as it gets, the messages of so many seconds.
SETTLING = 16


async def measure(browser: Browser, stack: Stack, seconds: float, size: str) -> dict[str, Any]:
    """The page's own person is one of those who speak."""
    async with (
        Room.with_people(stack, PEOPLE - 1) as room,
        browsers.person(browser, stack.url, "Ann", size=size) as ann,
    ):
        await ann.enter(room.path)
        await ann.join_voice()
        probe = await Probe.of(ann)
        await probe.slow_down()
        silent = await probe.watch(seconds)
        async with voices.speaking(room.members[: SPEAKERS - 1]):
            # Half of them: not all are within a syllable at once.
            await ann.page.locator(".person.speaks").nth(SPEAKERS // 2 - 1).wait_for()
            speaking = await probe.watch(seconds)
            messages = int(MESSAGES_A_SECOND * (SETTLING + seconds + 1))
            saying = asyncio.create_task(room.say(a_second=MESSAGES_A_SECOND, count=messages))
            await asyncio.sleep(SETTLING)
            both = await probe.watch(seconds)
            await saying
            rings = await ann.page.locator(".person.speaks").count()
        return {
            "size": size,
            "rings_at_the_end": rings,
            "silence": asdict(silent),
            "speakers": asdict(speaking),
            "speakers_and_chat": asdict(both),
        }
