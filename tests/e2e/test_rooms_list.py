"""The list of rooms: who is inside, what is unread, searching, private rooms and their links."""

import re

from playwright.async_api import expect

from tests.e2e.conftest import NewPerson
from tests.e2e.person import PASSWORD
from tests.e2e.pictures import picture

CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write", "microphone"]}


async def test_who_is_inside_what_is_unread_and_what_is_found(new_person: NewPerson) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    room = await ann.create_room("Botany for beginners")
    await bob.register_and_enter(room)
    await bob.page.goto(bob.url)  # as closing the tab: one stays a member
    await ann.say("Bring a flower")
    await ann.reads("Bring a flower")
    await bob.page.reload()
    card = bob.page.locator(".room-card", has_text="Botany for beginners")
    await expect(card).to_contain_text("Ann")
    await expect(card.get_by_label("1 unread message")).to_be_visible()
    await expect(bob.page).to_have_title("(1) Rooms · cwrkPlanet")
    await expect(bob.page.locator("link[rel=icon]")).to_have_attribute(
        "href", re.compile(r"/icon-unread\.svg$")
    )
    await picture(bob.page, "rooms")

    await bob.page.get_by_role("searchbox", name="Find a room").fill("no such thing at all")
    await expect(bob.page.get_by_text("No room has that name.")).to_be_visible()
    await bob.page.get_by_role("searchbox").fill("botany")
    await expect(bob.page.locator(".room-card h2")).to_have_text(["Botany for beginners"])
    await card.click()
    await bob.reads("Bring a flower")
    await expect(bob.page).to_have_title("Botany for beginners · cwrkPlanet")

    # What is said while nobody looks shows in the title and the icon; in an installed app, on its icon.
    await bob.page.evaluate(LOOKS_AWAY)
    await ann.say("And a pencil")
    await expect(bob.page).to_have_title("(1) Botany for beginners · cwrkPlanet")
    await bob.page.evaluate("look(true)")
    await expect(bob.page).to_have_title("Botany for beginners · cwrkPlanet")
    assert bob.complaints == []


LOOKS_AWAY = """() => {
    let visible = false;
    Object.defineProperty(document, 'visibilityState', { get: () => (visible ? 'visible' : 'hidden') });
    Object.defineProperty(document, 'hidden', { get: () => !visible });
    document.hasFocus = () => visible;
    window.look = (now) => {
        visible = now;
        document.dispatchEvent(new Event('visibilitychange'));
        dispatchEvent(new Event(now ? 'focus' : 'blur'));
    };
    look(false);
}"""


async def test_a_private_room_is_entered_by_its_link_until_that_is_revoked(new_person: NewPerson) -> None:
    ann, bob = await new_person("Ann", **CLIPBOARD), await new_person("Bob")
    await ann.register()
    await ann.page.get_by_role("button", name="New room").click()
    await ann.page.get_by_label("Name").fill("Thesis circle")
    await ann.page.get_by_label("Who finds it").select_option("private")
    await ann.page.get_by_role("button", name="Create room").click()
    await ann.is_in_room()
    await ann.page.get_by_role("button", name="Invite").click()
    await ann.page.get_by_label("For", exact=True).select_option(label="10 people")
    await ann.page.get_by_role("button", name="Make a link").click()
    await ann.page.get_by_role("button", name="Copy").click()
    await expect(ann.page.get_by_role("button", name="Copied")).to_be_visible()
    link = await ann.page.evaluate("navigator.clipboard.readText()")
    assert "/invite/" in link
    await picture(ann.page, "invite-links")

    await bob.register()
    await expect(bob.page.locator(".room-card", has_text="Thesis circle")).to_have_count(0)
    await bob.page.goto(link)
    await bob.sees("Ann", "Bob")
    await ann.page.get_by_role("button", name="Revoke").click()
    await expect(ann.page.locator(".invites li")).to_have_count(0)

    # A room's own address leads past the door to the room, once one is let in.
    path = bob.page.url.removeprefix(bob.url)
    email = await bob.page.evaluate("JSON.parse(localStorage.getItem('cwrk.session')).user.email")
    await bob.leave()
    assert ann.complaints == bob.complaints == []
    # From here on an answer that was under way may be a refusal.
    await bob.page.get_by_role("button", name="Log out").click()
    await expect(bob.page.get_by_label("Password")).to_be_visible()
    await bob.page.goto(bob.url + path)
    await bob.page.get_by_label("E-mail").fill(email)
    await bob.page.get_by_label("Password").fill(PASSWORD)
    await bob.page.locator("form.account button.primary").click()
    await bob.sees("Ann", "Bob")
