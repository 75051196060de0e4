"""An emoji for all to see, for a moment: of the room, not under a message."""

from playwright.async_api import expect

from tests.e2e.conftest import NewPerson


async def test_an_emoji_flies_by(new_person: NewPerson) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    await bob.register_and_enter(await ann.create_room("Applause"))
    await ann.sees("Ann", "Bob")
    react = bob.page.locator(".dock").get_by_role("button", name="React")
    await react.click()
    await expect(bob.page.get_by_role("menuitem", name="React with 👍")).to_be_focused()
    await bob.page.keyboard.press("ArrowRight")
    await bob.page.keyboard.press("Enter")
    for person in (ann, bob):
        await expect(person.person("Bob").locator(".reacted")).to_have_text("👏")
    await expect(react).to_be_focused()
    await expect(ann.page.locator(".reacted")).to_have_count(0)  # it does not stay
    await expect(ann.page.locator(".message")).to_have_count(0)
    assert ann.complaints == bob.complaints == []
