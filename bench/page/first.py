"""How soon a page that was never here before can be used, on a slow processor."""

from __future__ import annotations

import statistics
from typing import Any

from playwright.async_api import Browser, StorageState

from bench.page import browser as browsers
from bench.page.browser import SIZES, SLOW_DOWN
from bench.page.people import Room
from tests.services import Stack

#: The one thing of each page that says that it can be used.
USABLE = {
    "login": "form.account button.primary",
    "rooms": "main button.primary",
    "room": ".composer textarea",
}

#: Before the page's own scripts: when what is waited for is there, and when the last long task ended.
WATCH = """(selector) => {
    const seen = (window.seen = { usable: 0, longTasks: 0, lastLongTask: 0 });
    new PerformanceObserver((list) => {
        for (const { startTime, duration } of list.getEntries()) {
            seen.longTasks += 1;
            seen.lastLongTask = startTime + duration;
        }
    }).observe({ type: 'longtask', buffered: true });
    new MutationObserver((_, observer) => {
        if (!document.querySelector(selector)) return;
        seen.usable = performance.now();
        observer.disconnect();
    }).observe(document, { childList: true, subtree: true });
}"""

QUIET_MS = 500


async def measure(browser: Browser, stack: Stack, times: int) -> list[dict[str, Any]]:
    """Of each page: milliseconds until it is drawn and its main thread free, with an empty cache."""
    async with Room.with_people(stack, 5) as room, browsers.person(browser, stack.url, "Ann") as ann:
        await room.say(a_second=10, count=40)
        state = await ann.page.context.storage_state()
        await ann.page.goto("about:blank")
        pages = (("login", "/login", None), ("rooms", "/", state), ("room", room.path, state))
        return [await _page(browser, name, stack.url + path, kept, times) for name, path, kept in pages]


async def _page(
    browser: Browser, name: str, url: str, state: StorageState | None, times: int
) -> dict[str, Any]:
    found: list[dict[str, float]] = []
    for _ in range(times):
        context = await browser.new_context(locale="en-GB", storage_state=state, **SIZES["phone"])
        page = await context.new_page()
        cdp = await context.new_cdp_session(page)
        await cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOW_DOWN})
        await page.add_init_script(f"({WATCH})({USABLE[name]!r})")
        await page.goto(url)
        await page.locator(USABLE[name]).first.wait_for()
        # A page is free when no long task has come for a while.
        await page.wait_for_function(
            f"() => seen.usable && performance.now() - Math.max(seen.usable, seen.lastLongTask) > {QUIET_MS}"
        )
        seen: dict[str, float] = await page.evaluate("seen")
        painted: float = await page.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        )
        found.append({**seen, "painted": painted, "interactive": max(seen["usable"], seen["lastLongTask"])})
        await context.close()
    return {
        "page": name,
        "first_paint_ms": round(statistics.median(each["painted"] for each in found)),
        "interactive_ms": round(statistics.median(each["interactive"] for each in found)),
        "slowest_ms": round(max(each["interactive"] for each in found)),
        "long_tasks": statistics.median(each["longTasks"] for each in found),
    }
