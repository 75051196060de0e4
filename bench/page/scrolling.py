"""Thousands of messages under a finger: how evenly the frames come while one scrolls through all of them."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from typing import Any

from playwright.async_api import Browser, Locator, Page

from bench.page import browser as browsers
from bench.page.browser import Probe
from bench.page.people import Room
from tests.services import Stack

MESSAGES = 5_000
#: Who wrote them, and how quickly they may.
WRITERS, A_SECOND = 30, 140
#: Pixels: of one gesture, and a second.
REACH, SPEED = 20_000, 10_000
MOST_GESTURES = 60

FRAMES = """() => {
    const frames = (window.frames_ = []);
    let before = performance.now();
    const next = (now) => {
        frames.push(now - before);
        before = now;
        requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
    window.most_ = 0;
    new MutationObserver(() => {
        window.most_ = Math.max(window.most_, document.querySelectorAll('.message').length);
    }).observe(document.querySelector('.messages'), { childList: true });
}"""


async def measure(browser: Browser, stack: Stack) -> list[dict[str, Any]]:
    """In each size, all of them in one room. Takes some minutes."""
    async with Room.with_people(stack, WRITERS) as room:
        await room.say(a_second=A_SECOND, count=MESSAGES)
        return [await _there_and_back(browser, stack, room, size) for size in browsers.SIZES]


async def _there_and_back(browser: Browser, stack: Stack, room: Room, size: str) -> dict[str, Any]:
    async with browsers.person(browser, stack.url, f"Ann, by {size}", size=size) as ann:
        await ann.enter(room.path)
        await ann.page.locator(".message").last.wait_for()
        probe = await Probe.of(ann)
        await probe.slow_down()
        await ann.page.evaluate(FRAMES)
        before = await probe.metrics()
        await _scroll(probe, ann.page, REACH, until=ann.page.get_by_text("This is where the chat begins."))
        up = await probe.metrics()
        await _scroll(probe, ann.page, -REACH, until=ann.page.locator(".log:not(:has(~ .to-end))"))
        down = await probe.metrics()
        frames: list[float] = await ann.page.evaluate("frames_.slice(1)")
        cuts = statistics.quantiles(frames, n=100, method="inclusive")
        found = {
            "size": size,
            "messages": MESSAGES,
            "most_on_the_page": await ann.page.evaluate("most_"),
            "frames": len(frames),
            "p50_ms": round(cuts[49], 1),
            "p95_ms": round(cuts[94], 1),
            "p99_ms": round(cuts[98], 1),
            "longest_ms": round(max(frames), 1),
            "over_50_ms": round(sum(frame > 50 for frame in frames) / len(frames), 4),
            "up": asdict(Probe.work(before, up)),
            "down": asdict(Probe.work(up, down)),
        }
        print("  ", found, flush=True)
        return found


async def _scroll(probe: Probe, page: Page, by: int, *, until: Locator) -> None:
    """One gesture after the other, until it is there."""
    box = await page.locator(".log").bounding_box()
    assert box is not None
    middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for _ in range(MOST_GESTURES):
        if await until.count():
            return
        gesture = {
            **middle,
            "yDistance": by,
            "speed": SPEED,
            "gestureSourceType": "mouse",
            "preventFling": True,
        }
        await probe.cdp.send("Input.synthesizeScrollGesture", gesture)
    raise TimeoutError(f"{MOST_GESTURES} gestures were not enough")
