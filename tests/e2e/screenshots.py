"""Pictures of the real page with real people, for the README and for our own eyes.

    python -m tests.e2e.screenshots [folder]

Without a folder: docs/images/room.png and room-phone.png. With one: every page there, at desktop and phone
width, light and dark.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from itertools import product
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright, expect

from tests.e2e import namespace
from tests.e2e.browsers import chromium
from tests.e2e.person import Person
from tests.e2e.tone import write_tone

README_IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}, "device_scale_factor": 1},
    "phone": {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "is_mobile": True},
}
NO_MICROPHONE = """
    navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };
"""
THEMES = ("light", "dark")
PEOPLE = ("Vera Lindqvist", "Mateo Ruiz", "Aisha Khan", "Tom Becker", "Яна Орлова")
TALK = (
    (1, "Morning! I have the exercises of sheet 4 open, 4.2 is the nasty one."),
    (2, "Same here. I got as far as $\\det(A - \\lambda I) = 0$ and then it falls apart."),
    (2, "Could it be the sign in the second row?"),
    (
        0,
        "Take row 1 from row 3 first:\n```\n 1  2  0\n 0  3  1\n 0  0  5\n```\nthen it is just the diagonal.",
    ),
    (
        3,
        "Oh, that is much nicer than what I did. See https://en.wikipedia.org/wiki/Gaussian_elimination, too",
    ),
    (4, "Спасибо, теперь ясно!"),
    (1, "Break at ten past? I will put the kettle on."),
    (0, "Ten past it is."),
)
OTHER_ROOMS = (
    ("Quiet room", "Microphones off, chat stays"),
    ("Organic chemistry II", "Exam on the 14th"),
    ("Thesis writers", "One page a day"),
)


async def main(folder: Path | None) -> None:
    with tempfile.TemporaryDirectory() as scratch, namespace.stack() as stack:
        tone = write_tone(Path(scratch) / "tone.wav", 440, pause=0.5)
        async with async_playwright() as playwright, AsyncExitStack() as open_pages:
            browser = await playwright.chromium.launch(**chromium(tone))
            people = [
                await open_pages.enter_async_context(Person.opened(browser, stack.url, name))
                for name in PEOPLE
            ]
            room = await _fill(people)
            if folder is None:
                await _for_the_readme(browser, people[0], room)
            else:
                await _everything(browser, people[0], room, folder)
            await browser.close()


async def _fill(people: list[Person]) -> str:
    """A few rooms, and one with people who talk. @return its path"""
    host = people[0]
    for person in people:
        await person.register()
    for name, topic in OTHER_ROOMS:
        await host.create_room(name, topic)
        await host.leave()
    room = await host.create_room("Linear algebra, mornings", "Sheet 4, due on Friday")
    for person in people[1:]:
        await person.enter(room)
    said = host.page.locator(".message:not(.pending)")
    for number, (who, text) in enumerate(TALK):
        await people[who].say(text)
        await expect(said).to_have_count(number + 1)
    await _like(people[2:], "then it is just the diagonal")
    for person in people[1:4]:
        await person.join_voice()
    # Mateo alone is to be heard; a mute lasts, so the host's holds in every page that follows.
    await host.join_voice()
    for person in (host, *people[2:4]):
        await person.mute()
    await host.leave_voice()
    return room


async def _like(people: list[Person], text: str) -> None:
    """All of them the same message; the first one answers it."""
    for person in people:
        message = person.page.locator(".message", has_text=text).first
        await message.focus()
        await message.press("Enter")
        await person.page.get_by_role("menuitem", name="React with 🎉").click()
        await message.locator(".reaction[aria-pressed=true]").wait_for()
    await people[0].page.locator(".message", has_text=text).first.press("r")
    await people[0].say("Of course! That was my sign, then.")


async def _for_the_readme(browser: Browser, host: Person, room: str) -> None:
    for size, name in (("desktop", "room.png"), ("phone", "room-phone.png")):
        async with _seen_by(browser, host, SIZES[size], "light") as person:
            await _speak_in(person, room)
            await person.page.screenshot(path=README_IMAGES / name)


async def _everything(browser: Browser, host: Person, room: str, folder: Path) -> None:
    for (size, look), theme in product(SIZES.items(), THEMES):
        async with Person.opened(browser, host.url, "Nobody", **look, color_scheme=theme) as person:
            await person.page.screenshot(path=folder / f"login-{size}-{theme}.png")
            await person.page.get_by_role("button", name="Create an account").click()
            await person.page.screenshot(path=folder / f"register-{size}-{theme}.png")
        async with _seen_by(browser, host, look, theme) as person:
            await person.page.locator(".room-card").first.wait_for()
            await person.page.screenshot(path=folder / f"rooms-{size}-{theme}.png")
            await person.page.get_by_role("button", name="New room").click()
            await person.page.screenshot(path=folder / f"new-room-{size}-{theme}.png")
            await person.enter(room)
            await person.page.locator(".message").first.wait_for()
            await person.page.screenshot(path=folder / f"room-before-{size}-{theme}.png")
            await _speak_in(person, room)
            await person.page.screenshot(path=folder / f"room-{size}-{theme}.png")
            await person.leave_voice()
            await person.page.goto(f"{person.url}/account")
            await person.page.locator(".sessions li").first.wait_for()
            await person.page.screenshot(path=folder / f"account-{size}-{theme}.png", full_page=True)
        # Russian is the longer language, and a refused microphone the longest sentence.
        async with _seen_by(browser, host, look, theme, locale="ru-RU") as person:
            await person.page.add_init_script(NO_MICROPHONE)
            await person.enter(room)
            await person.page.get_by_role("button", name="Войти в разговор").click()
            await person.page.locator("[data-voice=on]").wait_for()
            await person.page.screenshot(path=folder / f"room-russian-{size}-{theme}.png")
    # At the end: when a focus begins microphones go off.
    for (size, look), theme in product(SIZES.items(), THEMES):
        async with _seen_by(browser, host, look, theme) as person:
            await person.enter(room)
            await _timer(person, folder / f"study-{size}-{theme}.png")


async def _timer(person: Person, path: Path) -> None:
    """Running, with its card open; and stopped again."""
    await person.page.get_by_role("button", name="Study timer").click()
    await person.page.get_by_role("button", name="Start").click()
    await person.page.locator(".study.focus").click()
    await person.page.get_by_role("button", name="Pause").wait_for()
    await person.page.screenshot(path=path)
    await person.page.get_by_role("button", name="Stop").click()
    await person.page.locator(".study.off").wait_for()


def _seen_by(browser: Browser, host: Person, look: dict[str, Any], theme: str, **more: Any) -> Any:
    still = {"color_scheme": theme, "reduced_motion": "reduce"}
    return Person.opened(browser, host.url, host.name, session_of=host, **look, **still, **more)


async def _speak_in(person: Person, room: str) -> None:
    """In voice, while somebody speaks."""
    await person.enter(room)
    await person.join_voice()
    await person.sees_speaking("Mateo Ruiz")


if __name__ == "__main__":
    namespace.enter("tests.e2e.screenshots", sys.argv[1:])
    asyncio.run(main(Path(sys.argv[1]) if sys.argv[1:] else None))
