"""How soon the page can be used, on a slow processor.

A page can be used when all of this is true: something of it is painted; what one came for (`CONTROL`) is
there; a click on it, made as soon as it is, has been answered by a frame; and no task of the main thread has
been longer than 50 ms for half a second. `interactive_ms` is when the last of these became true, from the
navigation on; the half second itself does not count.

`cpu_ms` is the main thread's own time in all of that. It moves little when something else runs on the
machine, and sooner than that no page can be ready, however idle the machine is.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

from bench.page.browser import SLOW_DOWN, own_time
from bench.page.devtools import DevTools, Tab, chromium
from bench.page.people import Room
from tests.integration.student import PASSWORD, Student
from tests.services import Stack

#: The first thing of each page that one uses. `bare` is no page of ours, but a line of text: what any costs.
CONTROL = {
    "bare": "pre",
    "login": "form.account input",
    "rooms": "main button.primary",
    "room": ".composer textarea",
}
BARE = "/healthz"
PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
LONG_MS = 50

#: In the page before its own scripts. Reports twice: where to click, and everything once it is quiet.
WATCH = """(selector) => {
    const seen = { painted: 0, usable: 0, answered: 0, lastLongTask: 0, longTasks: 0, blocked: 0 };
    new PerformanceObserver((list) => {
        for (const { startTime, duration } of list.getEntries()) {
            seen.longTasks += 1;
            seen.blocked += duration - LONG;
            seen.lastLongTask = startTime + duration;
        }
    }).observe({ type: 'longtask', buffered: true });
    new PerformanceObserver((list) => {
        for (const { name, startTime } of list.getEntries()) {
            if (name === 'first-contentful-paint') seen.painted = startTime;
        }
    }).observe({ type: 'paint', buffered: true });
    const whenQuiet = () => {
        const last = Math.max(seen.painted, seen.usable, seen.answered, seen.lastLongTask);
        if (seen.painted && seen.answered && performance.now() - last > QUIET) report(JSON.stringify(seen));
        else setTimeout(whenQuiet, 50);
    };
    const comes = (control) => {
        seen.usable = performance.now();
        const answered = () => requestAnimationFrame(() => (seen.answered ||= performance.now()));
        addEventListener('click', answered, { once: true, capture: true });
        requestAnimationFrame(() => {
            const { x, y, width, height } = control.getBoundingClientRect();
            report(JSON.stringify({ x: x + width / 2, y: y + height / 2 }));
            whenQuiet();
        });
    };
    new MutationObserver((_, observer) => {
        const control = document.querySelector(selector);
        if (!control) return;
        observer.disconnect();
        comes(control);
    }).observe(document, { childList: true, subtree: true });
}""".replace("LONG", str(LONG_MS)).replace("QUIET", "500")


async def measure(stack: Stack, folder: Path, times: int) -> list[dict[str, Any]]:
    """Of each page, with an empty cache and again: milliseconds, medians of `times`. By turns."""
    async with (
        Room.with_people(stack, 5) as room,
        Student.registered(stack.url, stack.ws_url, "Ann") as ann,
        chromium(folder) as browser,
    ):
        await room.say(a_second=10, count=40)
        session = await ann.post("/auth/login", {"email": ann.email, "password": PASSWORD})
        pages = {"bare": BARE, "login": "/login", "rooms": "/", "room": room.path}
        found: dict[tuple[str, str], list[dict[str, float]]] = {}
        for _ in range(times):
            for name, path in pages.items():
                async with browser.context() as context:
                    if name in ("rooms", "room"):
                        await _sign_in(browser, context, stack.url, session)
                    for visit in ("first", "again"):
                        async with browser.tab(context) as tab:
                            seen = await _visit(tab, stack.url + path, CONTROL[name])
                        found.setdefault((name, visit), []).append(seen)
    return [{"page": name, "visit": visit, **_summary(each)} for (name, visit), each in found.items()]


async def _sign_in(browser: DevTools, context: str, url: str, session: dict[str, Any]) -> None:
    """Keeps a session as the page does (web/tokens.js), with nothing of the page in the cache."""
    lifetime = session["expiresIn"] * 1000
    kept = session | {"lifetime": lifetime, "expiresAt": time.time() * 1000 + lifetime}
    async with browser.tab(context) as tab:
        await tab.send("Page.enable")
        await tab.send("Page.navigate", url=url + BARE)
        await tab.event("Page.loadEventFired")
        await tab.evaluate(f"localStorage.setItem('cwrk.session', {json.dumps(json.dumps(kept))})")


async def _visit(tab: Tab, url: str, control: str) -> dict[str, float]:
    await tab.send("Emulation.setDeviceMetricsOverride", **PHONE)
    await tab.send("Emulation.setTouchEmulationEnabled", enabled=True)
    await tab.send("Page.enable")
    await tab.send("Runtime.enable")
    await tab.send("Runtime.addBinding", name="report")
    await tab.send("Page.addScriptToEvaluateOnNewDocument", source=f"({WATCH})({json.dumps(control)})")
    await tab.send("Emulation.setCPUThrottlingRate", rate=SLOW_DOWN)
    await tab.trace("toplevel,__metadata")
    await tab.send("Page.navigate", url=url)
    at = json.loads((await tab.event("Runtime.bindingCalled"))["payload"])
    for kind in ("mousePressed", "mouseReleased"):
        await tab.send("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)
    seen: dict[str, float] = json.loads((await tab.event("Runtime.bindingCalled"))["payload"])
    used, _ = own_time(await tab.traced())
    ends = ("painted", "usable", "answered", "lastLongTask")
    return seen | {"interactive": max(seen[each] for each in ends), "cpu": used / 1000}


def _summary(visits: list[dict[str, float]]) -> dict[str, float]:
    def median(name: str) -> int:
        return round(statistics.median(each[name] for each in visits))

    return {
        "first_paint_ms": median("painted"),
        "usable_ms": median("usable"),
        "interactive_ms": median("interactive"),
        "quickest_ms": round(min(each["interactive"] for each in visits)),
        "slowest_ms": round(max(each["interactive"] for each in visits)),
        "cpu_ms": median("cpu"),
        "long_tasks": median("longTasks"),
        "blocked_ms": median("blocked"),
    }
