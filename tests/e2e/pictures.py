"""Pictures for our own eyes, where somebody asks for them: CWRK_PICTURES names a folder."""

import os
from pathlib import Path

from playwright.async_api import Page

from tests.e2e.looks import Eyes


async def keep(eyes: Eyes, name: str) -> None:
    if folder := os.environ.get("CWRK_PICTURES"):
        (Path(folder) / f"{name}.webp").write_bytes(await eyes.photograph())


async def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("CWRK_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png")
