"""Somebody at the page: what they do, and what they see and hear. Every step waits for its effect."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from playwright.async_api import Browser, Locator, Page, WebSocket, expect

EAR = Path(__file__).with_name("ear.js")
PASSWORD = "correct horse battery staple"
PATIENCE_MS = 15_000


class Person:
    """One browser context with one page. `frames` are the websocket frames they sent and received."""

    def __init__(self, page: Page, url: str, name: str) -> None:
        self.page, self.url, self.name = page, url, name
        self.sent: list[dict[str, Any]] = []
        self.received: list[dict[str, Any]] = []
        self.complaints: list[str] = []
        self._noted = asyncio.Event()
        page.on("websocket", self._watch)
        page.on("pageerror", lambda error: self.complaints.append(error.stack or str(error)))
        page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, browser: Browser, url: str, name: str, *, session_of: Person | None = None, **context: Any
    ) -> AsyncIterator[Person]:
        """At the door, not signed in unless `session_of` is.

        `context` are Playwright's options: viewport, locale, …
        """
        if session_of:
            context["storage_state"] = await session_of.page.context.storage_state()
        opened = await browser.new_context(**{"locale": "en-GB", **context})
        try:
            opened.set_default_timeout(PATIENCE_MS)
            await opened.add_init_script(path=EAR)
            person = cls(await opened.new_page(), url, name)
            await person.page.goto(url)
            yield person
        finally:
            await opened.close()

    def _watch(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self._note(self.sent, frame))
        socket.on("framereceived", lambda frame: self._note(self.received, frame))

    def _note(self, frames: list[dict[str, Any]], frame: str | bytes) -> None:
        frames.append(json.loads(frame))
        self._noted.set()

    async def _eventually(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Until the frames so far are enough."""
        try:
            async with asyncio.timeout(PATIENCE_MS / 1000):
                while not condition():
                    self._noted.clear()
                    await self._noted.wait()
        except TimeoutError:
            raise AssertionError(otherwise) from None

    # --- what they do

    async def register(self) -> None:
        await self.page.get_by_role("button", name="Create an account").click()
        await self.page.get_by_label("Your name").fill(self.name)
        await self.page.get_by_label("E-mail").fill(f"{uuid4().hex}@example.org")
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.locator("form.account button.primary").click()
        await self.page.wait_for_function("() => localStorage.getItem('cwrk.session')")

    async def create_room(self, name: str, topic: str = "") -> str:
        """Opens a room and is in it. @return its path"""
        await self.page.get_by_role("button", name="New room").click()
        await self.page.get_by_label("Name", exact=True).fill(name)
        await self.page.get_by_label("Topic").fill(topic)
        await self.page.get_by_role("button", name="Create room").click()
        await self.is_in_room()
        return self.page.url.removeprefix(self.url)

    async def enter(self, path: str) -> None:
        await self.page.goto(self.url + path)
        await self.is_in_room()

    async def register_and_enter(self, path: str) -> None:
        await self.register()
        await self.enter(path)

    async def join_voice(self) -> None:
        await self.page.get_by_role("button", name="Join voice").click()
        await expect(self.page.locator("[data-voice]")).to_have_attribute(
            "data-voice", "on", timeout=PATIENCE_MS
        )

    async def leave_voice(self) -> None:
        await self.page.get_by_role("button", name="Leave voice").click()
        await self.page.get_by_role("button", name="Join voice").wait_for()

    async def mute(self) -> None:
        await self.page.get_by_role("button", name="Mute", exact=True).click()

    async def unmute(self) -> None:
        await self.page.get_by_role("button", name="Unmute").click()

    async def open_card(self, name: str) -> Locator:
        """What can be known of somebody and done about them."""
        await self.person(name).get_by_role("button").first.click()
        return self.page.get_by_role("dialog", name=name)

    async def say(self, text: str) -> None:
        box = self.page.get_by_role("textbox", name="Message to")
        await box.fill(text)
        await box.press("Enter")

    async def leave(self) -> None:
        await self.page.get_by_role("button", name="Leave", exact=True).click()
        await self.page.wait_for_url(self.url + "/")

    # --- what they see

    async def is_in_room(self) -> None:
        await expect(self.person(self.name)).to_be_visible(timeout=PATIENCE_MS)

    def person(self, name: str) -> Locator:
        """Somebody among the people of the room."""
        return self.page.locator(".person").filter(has=self.page.get_by_text(name, exact=True))

    async def sees(self, *names: str) -> None:
        """Exactly these people are in the room."""
        await expect(self.page.locator(".person .name")).to_have_count(len(names), timeout=PATIENCE_MS)
        for name in names:
            await expect(self.person(name)).to_be_visible()

    async def sees_speaking(self, name: str) -> None:
        await expect(self.person(name)).to_contain_class("speaks", timeout=PATIENCE_MS)

    async def reads(self, *texts: str) -> None:
        """These messages, in this order and no others, saved."""
        await expect(self.page.locator(".message:not(.pending) .text")).to_have_text(
            list(texts), timeout=PATIENCE_MS
        )

    async def sends(self, kind: str, *, times: int = 1) -> None:
        await self._eventually(lambda: self.frames_sent(kind) >= times, f"{kind} was not sent {times} times")

    async def gets(self, kind: str) -> None:
        await self._eventually(
            lambda: any(frame["type"] == kind for frame in self.received), f"{kind} was not received"
        )

    def frames_sent(self, kind: str) -> int:
        return sum(frame["type"] == kind for frame in self.sent)

    # --- what they hear

    async def hears(self, hertz: float, *, within: float = 15) -> dict[str, float]:
        found: dict[str, float] = await self.page.evaluate(f"ear.hears({hertz}, {within})")
        return found

    async def hears_nothing(self, *, for_ms: int = 500) -> None:
        await self.page.evaluate(f"ear.hearsNothing({for_ms})")

    async def watches_gaps(self) -> None:
        """From now on, how long nothing comes is measured."""
        await self.page.evaluate("ear.watchGap()")

    async def longest_gap(self) -> float:
        """Seconds."""
        gap: float = await self.page.evaluate("ear.longestGap()")
        return gap / 1000

    async def inbound(self, packets: int) -> dict[str, float]:
        """What has come in all, as soon as that is so many packets: received, lost, concealed (samples)."""
        totals: dict[str, float] = await self.page.evaluate(f"ear.inbound({packets})")
        return totals
