"""At the door: what is wrong is said where it is wrong, and one can leave and come back."""

from playwright.async_api import expect

from tests.e2e.conftest import NewPerson
from tests.e2e.person import PASSWORD


async def test_out_and_in_again_with_a_wrong_password_between(new_person: NewPerson) -> None:
    ann = await new_person("Ann")
    await ann.register()
    email = await ann.page.evaluate("JSON.parse(localStorage.getItem('cwrk.session')).user.email")
    await ann.page.get_by_role("button", name="Log out").click()
    await expect(ann.page.get_by_role("heading", name="Log in")).to_be_visible()
    assert await ann.page.evaluate("localStorage.getItem('cwrk.session')") is None

    await ann.page.get_by_label("E-mail").fill(email)
    await ann.page.get_by_label("Password").fill("not the password")
    await ann.page.keyboard.press("Enter")
    await expect(ann.page.get_by_role("alert")).to_contain_text(["The e-mail or the password is wrong."])
    await ann.page.get_by_label("Password").fill(PASSWORD)
    await ann.page.keyboard.press("Enter")
    await expect(ann.page.get_by_role("heading", name="Rooms")).to_be_visible()


async def test_a_link_to_a_room_leads_there_through_the_door(new_person: NewPerson) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    room = await ann.create_room("Behind the door")
    await bob.page.goto(bob.url + room)
    await bob.register()
    await bob.is_in_room()
    await ann.sees("Ann", "Bob")


async def test_a_field_says_what_is_wrong_with_it(new_person: NewPerson) -> None:
    ann = await new_person("\u202eAnn")  # would turn the text around it
    await ann.page.get_by_role("button", name="Create an account").click()
    await ann.page.get_by_label("Your name").fill(ann.name)
    await ann.page.get_by_label("E-mail").fill("ann@example.org")
    await ann.page.get_by_label("Password").fill(PASSWORD)
    await ann.page.keyboard.press("Enter")
    field = ann.page.get_by_label("Your name")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(field).to_have_accessible_description("A name has 1 to 64 characters that can be seen.")
