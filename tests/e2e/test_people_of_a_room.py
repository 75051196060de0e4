"""Hands in their order, and what moderators do, by keyboard as well as by mouse."""

from playwright.async_api import expect

from tests.e2e.conftest import TONE_HZ, NewPerson
from tests.e2e.pictures import picture


async def test_a_moderators_evening(new_person: NewPerson) -> None:
    vera, tom, ann = await new_person("Vera"), await new_person("Tom"), await new_person("Ann")
    await vera.register()
    room = await vera.create_room("Algebra")
    for each in (tom, ann):
        await each.register_and_enter(room)
    await tom.join_voice()
    await vera.join_voice()

    # Hands, in the order they were raised.
    await tom.page.keyboard.press("h")
    await expect(vera.page.locator(".hands li")).to_have_text(["Tom"])
    await ann.page.get_by_role("button", name="Raise your hand").click()
    await expect(vera.page.locator(".hands li")).to_have_text(["Tom", "Ann"])
    await expect(vera.person("Ann").get_by_label("hand raised, number 2")).to_be_visible()
    await tom.page.get_by_role("button", name="Lower your hand").click()
    await expect(ann.page.locator(".hands li")).to_have_text(["Ann"])

    # By keyboard alone: the person, the menu, the command.
    await vera.hears(TONE_HZ)
    await vera.person("Tom").get_by_role("button").first.focus()
    await vera.page.keyboard.press("Enter")
    card = vera.page.get_by_role("dialog", name="Tom")
    await expect(card.get_by_role("menuitem", name="Mute for everybody")).to_be_focused()
    await picture(vera.page, "moderator-menu")
    await vera.page.keyboard.press("ArrowUp")
    await expect(card.get_by_role("menuitem", name="Ban …")).to_be_focused()
    await vera.page.keyboard.press("ArrowDown")
    await vera.page.keyboard.press("Enter")
    await expect(card).to_be_hidden()
    await expect(tom.page.locator(".notice")).to_contain_text("Vera has muted you.")
    await expect(ann.person("Tom")).to_contain_text("muted by Vera")
    await vera.hears_nothing()
    await expect(ann.person("Tom").get_by_role("button").first).to_be_visible()
    card = await ann.open_card("Tom")
    await expect(card.get_by_role("menuitem")).to_have_count(0)  # she is no moderator
    await ann.page.keyboard.press("Escape")

    await vera.open_card("Tom")
    await vera.page.get_by_role("menuitem", name="Let them speak again").click()
    await expect(tom.page.locator(".notice")).to_contain_text("lets you speak again")
    await vera.hears(TONE_HZ)
    await vera.open_card("Ann")
    await vera.page.get_by_role("menuitem", name="Make a moderator").click()
    await expect(tom.person("Ann").get_by_label("moderator")).to_be_visible()

    # A ban with an end, by the new moderator; the owner lifts it.
    await ann.open_card("Tom")
    await ann.page.get_by_role("menuitem", name="Ban …").click()
    await ann.page.get_by_role("menuitem", name="For an hour").click()
    await expect(tom.page.locator("main [role=alert]")).to_have_text("You are banned from this room.")
    await vera.sees("Vera", "Ann")
    await vera.page.get_by_role("button", name="Room settings").click()
    await vera.page.get_by_role("button", name="Lift the ban").click()
    await expect(vera.page.get_by_role("button", name="Lift the ban")).to_have_count(0)

    # Settings: at once where it is a switch, by a button where it is words.
    await vera.page.get_by_role("switch", name="Lock the room").check()
    await expect(ann.page.get_by_role("heading", level=1).get_by_label("This room is locked")).to_be_visible()
    await vera.page.get_by_label("Slow chat").select_option(label="Once every 15 seconds")
    await vera.page.get_by_label("Name").fill("Geometry")
    await vera.page.get_by_role("button", name="Save").click()
    await expect(vera.page.get_by_text("Saved.")).to_be_visible()
    await expect(ann.page.get_by_role("heading", name="Geometry")).to_be_visible()
    await vera.page.keyboard.press("Escape")

    # What cannot be undone asks first, and the first answer is no.
    await vera.open_card("Ann")
    await vera.page.get_by_role("button", name="Give the room away").click()
    sure = vera.page.get_by_role("alertdialog")
    await expect(sure.get_by_role("button", name="Cancel")).to_be_focused()
    await sure.get_by_role("button", name="Give the room away").click()
    await expect(ann.page.locator(".notice")).to_contain_text("The room is yours now")
    await ann.page.get_by_role("button", name="Room settings").click()
    await ann.page.get_by_role("button", name="Delete the room").click()
    await ann.page.get_by_role("alertdialog").get_by_role("button", name="Delete the room").click()
    await expect(vera.page.locator("main [role=alert]")).to_have_text("This room has been deleted.")
    for each in (vera, ann):
        assert each.complaints == []
