"""Two hours in a room, and whether anything is left of them in the page's memory.

Compressed: all that happens in two lively hours, one thing after the other as fast as the page takes it.
Live: as it comes, with voices, for as long as one has time.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

from playwright.async_api import Browser

from bench.page import browser as browsers
from bench.page import voices
from bench.page.browser import Probe
from bench.page.people import Member, Room
from tests.e2e.person import Person
from tests.services import Stack

PEOPLE, SPEAKERS = 12, 4
#: Blocks of ten minutes; the first ones fill what is bounded: messages that are kept, the browser's caches.
BLOCKS, FILLING = 12, 4
#: What happens in each of them.
MESSAGES, COMINGS, HANDS, RECONNECTS, TALKS = 600, 10, 20, 3, 2
VOICES_S = 4.0
A_SECOND = 40
SAMPLE_S = 30.0
EVERY_S = 20.0

#: So that a connection can be cut from outside.
CUTTABLE = """
    window.WebSocket = class extends WebSocket {
        constructor(...given) {
            super(...given);
            window.socket_ = new WeakRef(this);
        }
    };
"""


async def compressed(browser: Browser, stack: Stack) -> dict[str, Any]:
    async with (
        Room.with_people(stack, PEOPLE) as room,
        browsers.person(browser, stack.url, "Ann", script=CUTTABLE) as ann,
    ):
        await ann.enter(room.path)
        probe = await Probe.of(ann)
        samples = [await probe.heap()]
        for _ in range(BLOCKS):
            await _ten_minutes(room, ann)
            samples.append(await probe.heap())
            print("  ", samples[-1], flush=True)
        kept = samples[FILLING:]
        hours = [number / 6 for number in range(len(kept))]
        return {"blocks": samples, "an_hour": _slopes(hours, kept)}


async def _ten_minutes(room: Room, ann: Person) -> None:
    host = room.members[0]
    await room.say(a_second=A_SECOND, count=MESSAGES)
    for number in range(COMINGS):
        await room.goes_and_comes(room.members[1 + number % (len(room.members) - 1)])
    for number in range(HANDS):
        await host.send("hand", raised=number % 2 == 0)
        await host.send("mute", muted=number % 2 == 0)
        await host.send("typing", typing=number % 2 == 0)
        await asyncio.sleep(0.05)  # within the rate of a person
    for action in ("start", "pause", "start", "stop"):
        await host.call("PUT", f"/rooms/{room.id}/timer", {"action": action, "focus_s": 1500, "break_s": 300})
    ack = await room.says("This one changes.")
    await host.send("chat_reaction", msg_id=ack, emoji="🎉", added=True)
    await host.send("chat_edit", msg_id=ack, message="This one has changed.")
    for _ in range(RECONNECTS):
        await ann.page.evaluate("socket_.deref().close()")
        await ann.page.locator("[data-connection=waiting]").wait_for(state="attached")
        await ann.page.locator("[data-connection=open]").wait_for(state="attached")
    for _ in range(TALKS):
        await ann.join_voice()
        async with voices.speaking(room.members[:SPEAKERS]):
            await ann.page.locator(".person.speaks").nth(SPEAKERS - 1).wait_for()
            await asyncio.sleep(VOICES_S)
        await ann.leave_voice()
    await _looks_around(ann, host)


async def _looks_around(ann: Person, other: Member) -> None:
    """Opens what can be opened, and closes it."""
    await ann.page.get_by_role("button", name="Voice settings").click()
    await ann.page.locator("dialog:modal").wait_for()
    await ann.page.keyboard.press("Escape")
    await ann.page.locator("dialog").wait_for(state="detached")
    await ann.open_card(other.name)
    await ann.page.keyboard.press("Escape")
    await ann.page.locator(".message").last.focus()
    await ann.page.keyboard.press("Enter")
    await ann.page.keyboard.press("Escape")


async def live(browser: Browser, stack: Stack, minutes: float) -> dict[str, Any]:
    async with (
        Room.with_people(stack, PEOPLE) as room,
        browsers.person(browser, stack.url, "Ann", script=CUTTABLE) as ann,
    ):
        await ann.enter(room.path)
        await ann.join_voice()
        probe = await Probe.of(ann)
        samples: list[dict[str, float]] = []
        at: list[float] = []
        began = time.monotonic()
        async with voices.speaking(room.members[:SPEAKERS]):
            while (now := time.monotonic() - began) < minutes * 60:
                at.append(now / 3600)
                samples.append(await probe.heap())
                for _ in range(int(SAMPLE_S / EVERY_S) + 1):
                    await room.say(a_second=1, count=int(EVERY_S / 2))
                    await room.goes_and_comes(room.members[-1])
        kept = len(samples) // 4  # the first quarter fills the caches
        return {"minutes": minutes, "samples": samples, "an_hour": _slopes(at[kept:], samples[kept:])}


def _slopes(hours: list[float], samples: list[dict[str, float]]) -> dict[str, float]:
    """By how much each figure grows in an hour."""
    return {
        name: round(statistics.linear_regression(hours, [each[name] for each in samples]).slope, 3)
        for name in samples[0]
    }
