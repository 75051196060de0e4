"""axe finds nothing that shuts people out: on every page, by day and by night, at a desk and on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import NewPerson
from tests.e2e.pictures import picture

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
ROUNDS = [("light", DESK), ("dark", DESK), ("light", PHONE), ("dark", PHONE)]


@pytest.mark.parametrize(("theme", "look"), ROUNDS, ids=["light", "dark", "light-phone", "dark-phone"])
async def test_axe_finds_nothing(new_person: NewPerson, theme: str, look: dict[str, Any]) -> None:
    # Without movement: what fades is of no colour in between.
    ann = await new_person("Ann", color_scheme=theme, reduced_motion="reduce", **look)
    name = f"{theme}-{look['viewport']['width']}"
    page = ann.page
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    await nothing_wrong(page, f"login-{name}")
    await page.goto(f"{ann.url}/forgot")
    await expect(page.get_by_label("E-mail")).to_be_visible()
    await nothing_wrong(page, f"forgot-{name}")

    await page.goto(ann.url)
    await ann.register()
    await ann.create_room("Algebra", "Sheet 4")
    for text in ("Look at https://example.org and `code`", "$x^2$ is a formula", "```\nif x:\n    pass\n```"):
        await ann.say(text)
    await ann.reads("Look at https://example.org and code", "x^2 is a formula", "if x: pass")
    await page.locator(".log").focus()
    for key in ("ArrowUp", "Enter", "Enter"):  # the last one, its menu, the first emoji of that
        await page.keyboard.press(key)
    await expect(page.locator(".reaction")).to_be_visible()
    await nothing_wrong(page, f"room-{name}")
    await page.locator(".log").focus()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Reply")).to_be_visible()
    await nothing_wrong(page, f"menu-{name}")
    await page.get_by_role("menuitem", name="Reply").click()
    await page.get_by_role("button", name="Search the chat").click()
    await page.get_by_role("searchbox").fill("formulas")
    await expect(page.locator(".found button")).to_be_visible()
    await nothing_wrong(page, f"search-{name}")
    await page.get_by_role("button", name="Study timer").click()
    await page.get_by_role("button", name="Start").click()
    await expect(page.locator(".study.focus")).to_be_visible()
    await page.locator(".study").click()
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    await nothing_wrong(page, f"study-{name}")
    await page.keyboard.press("Escape")

    await ann.leave()
    await expect(page.locator(".room-card").first).to_be_visible()
    await nothing_wrong(page, f"rooms-{name}")
    await page.goto(f"{ann.url}/account")
    await expect(page.locator(".sessions li")).to_have_count(1)
    await nothing_wrong(page, f"account-{name}")
    assert ann.complaints == []


async def nothing_wrong(page: Page, name: str) -> None:
    await picture(page, name)
    await page.evaluate(AXE)
    found = await page.evaluate("(rules) => axe.run({ runOnly: rules })", RULES)
    assert len(found["passes"]) > 10, "it has looked"
    assert [
        (each["id"], each["help"], [node["html"] for node in each["nodes"]]) for each in found["violations"]
    ] == []
