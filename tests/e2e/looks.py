"""How the page is looked at: at a desk or on a phone, by day or by night, in English or in Russian."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from itertools import product

from playwright.async_api import CDPSession, Page

SIZES = {"desktop": (1280, 800), "phone": (360, 740)}
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SPEAK = """async (wanted) => {
    const { use } = await import(document.querySelector('script[type=module]').src);
    const { language, switchLanguage } = use('text.js');
    if (language.value !== wanted) switchLanguage();
}"""


@dataclass(frozen=True)
class Look:
    """`size` is one of SIZES, `theme` light or dark, `language` en or ru."""

    size: str
    theme: str
    language: str

    def __str__(self) -> str:
        return f"{self.size}-{self.theme}-{self.language}"


HOME = Look("desktop", "light", "en")
ALL = [Look(*each) for each in product(SIZES, ("light", "dark"), ("en", "ru"))]
#: Each size in each theme and in each language, in as few looks as that takes.
FEW = [HOME, Look("desktop", "dark", "ru"), Look("phone", "light", "ru"), Look("phone", "dark", "en")]
TWO = [HOME, Look("phone", "dark", "ru")]


class Eyes:
    """One page, seen in one look after another. What is open on it stays open."""

    def __init__(self, page: Page, browser: CDPSession) -> None:
        self.page, self.browser = page, browser

    @classmethod
    async def of(cls, page: Page) -> Eyes:
        return cls(page, await page.context.new_cdp_session(page))

    async def see(self, look: Look) -> None:
        """Without movement: what fades is of no colour in between."""
        width, height = SIZES[look.size]
        phone = look.size == "phone"
        await self.browser.send(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone},
        )
        features = {
            "prefers-color-scheme": look.theme,
            "prefers-reduced-motion": "reduce",
            "hover": "none" if phone else "hover",
        }
        await self.browser.send(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": name, "value": value} for name, value in features.items()]},
        )
        await self.page.evaluate(SPEAK, look.language)
        await self.page.evaluate(TWO_FRAMES)

    async def photograph(self, *, tall: bool = False, quality: int = 80) -> bytes:
        """What is seen, as WebP; `tall`: what one would have to scroll to as well."""
        clip = {}
        if tall:
            metrics = await self.browser.send("Page.getLayoutMetrics")
            clip = {"clip": {**metrics["cssContentSize"], "scale": 1}}
        shot = await self.browser.send(
            "Page.captureScreenshot",
            {"format": "webp", "quality": quality, "captureBeyondViewport": tall, **clip},
        )
        return b64decode(shot["data"])
