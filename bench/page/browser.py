"""The browser under test, slowed down, and what it says about itself over the DevTools protocol."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from playwright.async_api import Browser, CDPSession, Page, async_playwright

from tests.e2e.browsers import chromium
from tests.e2e.person import PATIENCE_MS, Person
from tests.e2e.tone import write_tone

#: A cheap phone's processor against this machine's.
SLOW_DOWN = 4
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {
        "viewport": {"width": 360, "height": 740},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}


@contextlib.asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Browser]:
    """Chromium, whose microphone hears syllables of 440 Hz; `folder` is for what it reads."""
    tone = write_tone(folder / "tone.wav", 440, pause=0.2)
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(**chromium(tone))
        yield running
        await running.close()


@dataclass(frozen=True)
class Work:
    """What the main thread did in a while, as shares of it.

    `busy`: tasks by the wall clock, waits for a processor included. `cpu`: the thread's own time within tasks
    (None where nobody traced it), which hardly moves when something else runs on the machine.
    """

    busy: float
    script: float
    style: float
    layout: float
    cpu: float | None = None


class Probe:
    """A page's own figures."""

    def __init__(self, page: Page, cdp: CDPSession) -> None:
        self.page, self.cdp = page, cdp

    @classmethod
    async def of(cls, person: Person) -> Self:
        cdp = await person.page.context.new_cdp_session(person.page)
        await cdp.send("Performance.enable")
        await cdp.send("HeapProfiler.enable")
        return cls(person.page, cdp)

    async def slow_down(self, times: float = SLOW_DOWN) -> None:
        await self.cdp.send("Emulation.setCPUThrottlingRate", {"rate": times})

    async def metrics(self) -> dict[str, float]:
        found = await self.cdp.send("Performance.getMetrics")
        return {each["name"]: each["value"] for each in found["metrics"]}

    async def watch(self, seconds: float) -> Work:
        """What the main thread does from now on, for so long."""
        running = self.page.context.browser
        assert running is not None
        before = await self.metrics()
        await running.start_tracing(page=self.page, categories=["toplevel"])
        await asyncio.sleep(seconds)
        trace = json.loads(await running.stop_tracing())["traceEvents"]
        used, took = own_time(trace)
        return replace(self.work(before, await self.metrics()), cpu=round(used / took, 3))

    @staticmethod
    def work(before: dict[str, float], after: dict[str, float]) -> Work:
        took = after["Timestamp"] - before["Timestamp"]
        names = ("TaskDuration", "ScriptDuration", "RecalcStyleDuration", "LayoutDuration")
        return Work(*(round((after[name] - before[name]) / took, 3) for name in names))

    async def heap(self) -> dict[str, float]:
        """What is left after the garbage has been collected: megabytes, nodes, listeners."""
        for _ in range(2):  # what the first one finalizes the second one frees
            await self.cdp.send("HeapProfiler.collectGarbage")
        found = await self.metrics()
        return {
            "heap_mb": round(found["JSHeapUsedSize"] / 1e6, 3),
            "nodes": found["Nodes"],
            "listeners": found["JSEventListeners"],
        }


@contextlib.asynccontextmanager
async def person(
    running: Browser, url: str, name: str, *, script: str = "", size: str = "desktop"
) -> AsyncIterator[Person]:
    """Somebody with a page of their own, registered. But for `script` nothing of ours is in the page."""
    context = await running.new_context(locale="en-GB", permissions=["microphone"], **SIZES[size])
    try:
        context.set_default_timeout(4 * PATIENCE_MS)  # of a slow machine
        if script:
            await context.add_init_script(script)
        somebody = Person(await context.new_page(), url, name)
        await somebody.page.goto(url)
        await somebody.register()
        yield somebody
    finally:
        await context.close()


#: What a main thread does: tasks, and after each what was promised meanwhile, in which the page draws itself.
TASKS = ("ThreadControllerImpl::RunTask", "BlinkScheduler_PerformMicrotaskCheckpoint")


def own_time(trace: list[dict[str, Any]]) -> tuple[int, int]:
    """How long the busiest renderer's main thread was in its tasks, by its own clock, and of how long: us.

    The trace's category is `toplevel`.
    """
    mains = {
        (event["pid"], event["tid"])
        for event in trace
        if event.get("name") == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [event for event in trace if event.get("ph") == "X" and event["name"] in TASKS]
    used: dict[tuple[int, int], int] = dict.fromkeys(mains, 0)
    ends: dict[tuple[int, int], int] = dict.fromkeys(mains, 0)
    for event in sorted(tasks, key=lambda event: event["ts"]):
        thread = (event["pid"], event["tid"])
        if thread in mains and event["ts"] >= ends[thread]:  # else it is part of another
            used[thread] += event.get("tdur", 0)
            ends[thread] = event["ts"] + event["dur"]
    began = min(event["ts"] for event in tasks)
    return max(used.values()), max(event["ts"] for event in tasks) - began
