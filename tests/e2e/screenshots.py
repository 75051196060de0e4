"""Pictures of every page and dialog, with real people in them, for the documentation and for our own eyes.

    make screenshots                    docs/images/page/, with a page that shows them
    make screenshots FOLDER=/tmp/look   somewhere else

Pages are seen in every look there is (looks.py), what opens over them in two.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import async_playwright

from tests.e2e import namespace
from tests.e2e.browsers import chromium
from tests.e2e.looks import ALL, TWO, Eyes, Look
from tests.e2e.person import Person
from tests.e2e.tone import write_tone
from tests.e2e.tour import PAGES, PARTS, Tour

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images" / "page"
TALL = {"account", "doctor"}
CROWD = 45  # and the five of the tour
QUALITY = 72


async def main(folder: Path) -> None:
    seen: dict[str, list[Look]] = {}
    with tempfile.TemporaryDirectory() as scratch, namespace.stack() as stack:
        tone = write_tone(Path(scratch) / "tone.wav", 440, pause=0.5)
        async with async_playwright() as playwright, AsyncExitStack() as people:
            browser = await playwright.chromium.launch(**chromium(tone))
            vera, mateo = [
                await people.enter_async_context(Person.opened(browser, stack.url, name))
                for name in ("Vera Lindqvist", "Mateo Ruiz")
            ]
            eyes = await Eyes.of(vera.page)
            async for name in Tour(stack, vera, mateo, crowd=CROWD).stops(eyes, *PARTS):
                seen[name] = ALL if name in PAGES else TWO
                for look in seen[name]:
                    await eyes.see(look)
                    if name == "talk":
                        await vera.sees_speaking("Mateo Ruiz")
                    picture = await eyes.photograph(tall=name in TALL, quality=QUALITY)
                    (folder / f"{name}-{look}.webp").write_bytes(picture)
            await browser.close()
    (folder / "README.md").write_text(_gallery(seen), "utf-8")


def _gallery(seen: dict[str, list[Look]]) -> str:
    """Markdown: the pictures of each page in one row, those of a phone at its size."""
    parts = [
        "# The page, in pictures\n\nMade by `make screenshots`; what is what: [page.md](../../page.md).\n"
    ]
    for name, looks in seen.items():
        parts.append(f"## {name.replace('-', ' ').capitalize()}\n")
        widths = {"desktop": 400, "phone": 150}
        parts += [
            f'<img src="{name}-{look}.webp" width="{widths[look.size]}" alt="{name}, {look}" />'
            for look in sorted(looks, key=lambda look: look.size)
        ]
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    namespace.enter("tests.e2e.screenshots", sys.argv[1:])
    chosen = Path(sys.argv[1]) if sys.argv[1:] else FOLDER
    chosen.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(chosen))
