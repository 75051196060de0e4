"""The page /doctor tries each way by itself, and says what to change where one does not work."""

from __future__ import annotations

import re

import asyncpg
import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import NewPerson
from tests.e2e.pictures import picture
from tests.e2e.test_every_page import AXE, RULES, VIOLATIONS
from tests.services import Stack

MY_ID = "JSON.parse(localStorage.getItem('cwrk.session')).user.id"
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


async def examined(page: Page, url: str) -> dict[str, str | None]:
    """How each part is, once all are tried."""
    await page.goto(f"{url}/doctor")
    await expect(page.locator("section[aria-busy=false] li[data-about=turn]")).to_be_visible(timeout=40_000)
    items = await page.locator("section").first.locator("li[data-about]").all()
    return {
        str(await item.get_attribute("data-about")): await item.get_attribute("data-state") for item in items
    }


async def nobody_is_shut_out(page: Page) -> None:
    await page.evaluate(AXE)
    assert await page.evaluate(VIOLATIONS, RULES) == []


async def test_all_is_well_and_nothing_is_left_behind(new_person: NewPerson) -> None:
    ann = await new_person("Ann")
    await ann.register()
    found = await examined(ann.page, ann.url)
    parts = ("page", "microphone", "api", "websocket", "clock", "addresses", "udp", "tcp", "turn")
    assert found == dict.fromkeys(parts, "well")
    await expect(ann.page.get_by_role("status").first).to_have_text("All that was tried works.")
    for way in ("udp", "tcp"):
        said = ann.page.locator(f"li[data-about={way}]")
        await expect(said).to_have_text(re.compile(r"there and back in \d+ ms"))
    await picture(ann.page, "doctor")
    await nobody_is_shut_out(ann.page)
    await ann.page.goto(ann.url)
    await expect(ann.page.get_by_role("heading", name="Rooms")).to_be_visible()
    await expect(ann.page.get_by_text("⚕")).to_have_count(0)


async def test_an_administrator_sees_what_the_server_finds(new_person: NewPerson, stack: Stack) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    for each in (ann, bob):
        await each.register()
    tables = await asyncpg.connect(stack.database.url())
    change = "UPDATE auth.accounts SET administrator = (id = $1) WHERE id IN ($1, $2)"
    await tables.execute(change, *[await each.page.evaluate(MY_ID) for each in (ann, bob)])
    await tables.close()
    await examined(ann.page, ann.url)
    server = ann.page.locator("section").nth(1)
    for part in ("API", "websocket", "PostgreSQL", "Valkey", "voice"):
        await expect(server.locator(f"li[data-about={part}]").first).to_have_attribute("data-state", "well")
    await expect(server).to_contain_text(f"UDP {stack.env['MEDIA_HOST']}:{stack.env['MEDIA_PORT']} works")
    await server.evaluate("section => section.scrollIntoView()")
    await picture(ann.page, "doctor-administrator")
    await nobody_is_shut_out(ann.page)
    await examined(bob.page, bob.url)
    await expect(bob.page.locator("section")).to_have_count(1)


@pytest.mark.parametrize("theme", ["dark"])
async def test_a_way_that_is_shut_is_named_with_what_to_do(new_person: NewPerson, theme: str) -> None:
    """The answer's candidates by TCP lead nowhere, as behind a firewall; and one reads Russian on a phone."""
    boris = await new_person("Boris", color_scheme=theme, **PHONE)
    await boris.page.add_init_script(SHUT_TCP)
    await boris.register()
    await boris.page.evaluate("localStorage.setItem('cwrk.language', 'ru')")
    found = await examined(boris.page, boris.url)
    assert {part for part, state in found.items() if state != "well"} == {"tcp"}
    tcp = boris.page.locator("li[data-about=tcp]")
    await expect(tcp).to_have_attribute("data-state", "odd")
    await expect(tcp).to_contain_text("Что делать")
    await expect(tcp).to_contain_text(re.compile(r"откройте TCP \d+ в файрволе"))
    await picture(boris.page, "doctor-phone")
    await nobody_is_shut_out(boris.page)


SHUT_TCP = """
const set = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
  const shut = sdp.replace(/^(a=candidate:\\S+ \\d+ tcp \\d+ \\S+ )\\d+/gim, '$19');
  return set.call(this, { type, sdp: shut });
};
"""
