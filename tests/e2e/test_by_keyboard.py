"""From the door to the talk without a mouse: each step is a key, and the focus is where one expects it."""

from playwright.async_api import Page, expect

from tests.e2e.conftest import TONE_HZ, NewPerson
from tests.e2e.person import PASSWORD

MOST_TABS = 40
FOCUSED = """() => {
    const { activeElement: it } = document;
    const labelled = it.getAttribute('aria-label') ?? it.labels?.[0]?.textContent ?? it.textContent;
    return labelled.trim();
}"""
RINGED = "() => getComputedStyle(document.activeElement).outlineStyle !== 'none'"


async def tab_to(page: Page, name: str) -> None:
    """With Tab alone, to what is called so; one sees that it has the focus."""
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        if await page.evaluate(FOCUSED) == name:
            assert await page.evaluate(RINGED), f"the focus on {name} is not to be seen"
            return
    raise AssertionError(f"no way to {name}")


async def test_from_the_door_to_the_talk(new_person: NewPerson) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    page, keys = ann.page, ann.page.keyboard
    await tab_to(page, "Create an account")
    await keys.press("Enter")
    for label, text in (("Your name", "Ann"), ("E-mail", "ann.by.keys@example.org"), ("Password", PASSWORD)):
        await tab_to(page, label)
        await keys.type(text)
    await keys.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()  # another page: the keys go on from its beginning
    await expect(page).to_have_title("Rooms · cwrkPlanet")

    await tab_to(page, "New room")
    await keys.press("Enter")
    await expect(page.get_by_label("Name", exact=True)).to_be_focused()
    await keys.type("By keyboard")
    await tab_to(page, "Seats")
    await keys.press("Enter")
    await ann.is_in_room()
    await bob.register_and_enter(page.url.removeprefix(ann.url))
    await bob.join_voice()

    await tab_to(page, "Join voice")
    await keys.press("Enter")
    await bob.hears(TONE_HZ)
    await page.get_by_role("button", name="Mute", exact=True).wait_for()
    await keys.press("m")
    await bob.hears_nothing()
    await keys.press("m")
    await bob.hears(TONE_HZ)

    await tab_to(page, "Message to By keyboard")
    await keys.type("my hands hurt")
    await keys.press("Enter")
    await bob.reads("my hands hurt")
    await tab_to(page, "Study timer")
    await keys.press("Enter")
    await expect(page.get_by_role("button", name="25 minutes of focus, 5 of break")).to_be_focused()
    await keys.press("Escape")
    await expect(page.get_by_role("button", name="Study timer")).to_be_focused()
    await tab_to(page, "Leave")
    await keys.press("Enter")
    await expect(page.get_by_role("heading", name="Rooms")).to_be_visible()
    await bob.sees("Bob")
    assert ann.complaints == bob.complaints == []
