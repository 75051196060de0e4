"""Every page and every dialog: axe finds nothing that shuts people out, and nothing sticks out of a phone."""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python
import pytest

from tests.e2e.conftest import NewPerson
from tests.e2e.looks import FEW, TWO, Eyes
from tests.e2e.pictures import keep
from tests.e2e.tour import PAGES, Tour
from tests.services import Stack

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What has opened over the page is looked at alone: the page was, before.
VIOLATIONS = """async (rules) => {
    const over = document.querySelector('dialog[open], [popover]:popover-open') ?? document;
    const { passes, violations } = await axe.run(over, { runOnly: rules });
    if (passes.length < 5) throw new Error('it has not looked');
    return violations.map(({ id, help, nodes }) => [id, help, ...nodes.map(({ html }) => html)]);
}"""
# What is cut off at the edge, and not within something that scrolls.
STICKS_OUT = """() => {
    const scrolls = (element) => /auto|scroll|hidden/.test(getComputedStyle(element).overflowX);
    const within = (element) => element && (scrolls(element) || within(element.parentElement));
    const outside = [...document.body.querySelectorAll('*')].filter((each) => {
        const { left, right, width } = each.getBoundingClientRect();
        const out = width > 1 && (left < -1 || right > innerWidth + 1);
        return out && each.checkVisibility() && !within(each.parentElement);
    });
    if (document.documentElement.scrollWidth > innerWidth) outside.push(document.documentElement);
    return outside.map(({ outerHTML }) => outerHTML.slice(0, 200));
}"""


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("part", "stops"), [("pages", 14), ("room", 11), ("chat", 7)])
async def test_axe_finds_nothing_and_nothing_sticks_out(
    new_person: NewPerson, stack: Stack, part: str, stops: int
) -> None:
    vera, mateo = await new_person("Vera Lindqvist"), await new_person("Mateo Ruiz")
    page = vera.page
    eyes = await Eyes.of(page)
    found, seen = [], []
    async for name in Tour(stack, vera, mateo, crowd=12).stops(eyes, part):
        await page.evaluate(AXE)
        for look in FEW if name in PAGES else TWO:
            await eyes.see(look)
            await keep(eyes, f"{name}-{look}")
            found += [(name, str(look), *each) for each in await page.evaluate(VIOLATIONS, RULES)]
            found += [(name, str(look), "sticks out", *await page.evaluate(STICKS_OUT))]
        seen.append(name)
    assert [each for each in found if len(each) > 3] == []
    assert len(set(seen)) == stops
