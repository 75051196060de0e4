"""At the door: what is wrong is said where it is wrong, and one can leave and come back."""

from playwright.async_api import expect

from tests.e2e.conftest import NewPerson
from tests.e2e.person import PASSWORD, Person
from tests.e2e.pictures import picture

ANOTHER = "staple battery horse correct"


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
    await expect(field).to_have_accessible_description("A name needs 1 to 64 visible characters.")


async def test_ones_own_account(new_person: NewPerson) -> None:
    """Another name, another password, out on another device, out everywhere."""
    ann, elsewhere = await new_person("Ann"), await new_person("Ann elsewhere")
    await ann.register()
    email = await ann.page.evaluate("JSON.parse(localStorage.getItem('cwrk.session')).user.email")
    await log_in(elsewhere, email, PASSWORD)

    await ann.page.get_by_role("link", name="Your account: Ann").click()
    name = ann.page.get_by_label("Your name")
    await name.fill("Anna Karenina")
    profile = ann.page.locator("form", has=ann.page.get_by_role("heading", name="Profile"))
    await expect(profile.locator(".avatar")).to_have_text("AK")
    await profile.get_by_role("button", name="Save").click()
    await expect(profile.get_by_role("status")).to_have_text("Saved.")

    devices = ann.page.locator(".sessions li")
    await expect(devices).to_have_count(2)
    await picture(ann.page, "account")
    await devices.filter(has_not_text="this device").get_by_role("button").click()
    await expect(devices).to_have_count(1)
    await elsewhere.page.reload()
    await expect(elsewhere.page.get_by_role("heading", name="Log in")).to_be_visible()

    for current, sentence in (
        ("not it", "The current password is wrong."),
        (PASSWORD, "Your password has been changed. All other devices are logged out."),
    ):
        await ann.page.get_by_label("Current password").fill(current)
        await ann.page.get_by_label("New password").fill(ANOTHER)
        await ann.page.keyboard.press("Enter")
        await expect(ann.page.get_by_text(sentence)).to_be_visible()

    # The new name is everywhere, and so is the way out.
    room = await ann.page.evaluate("import('/static/api.js').then((api) => api.createRoom('Novels', 5, ''))")
    await ann.page.goto(f"{ann.url}/r/{room['id']}")
    await ann.sees("Anna Karenina")
    await ann.page.goto(f"{ann.url}/account")
    await ann.page.get_by_role("button", name="Log out everywhere").click()
    await expect(ann.page.get_by_role("heading", name="Log in")).to_be_visible()
    await log_in(ann, email, ANOTHER)


async def log_in(person: Person, email: str, password: str) -> None:
    await person.page.get_by_label("E-mail").fill(email)
    await person.page.get_by_label("Password").fill(password)
    await person.page.keyboard.press("Enter")
    await person.page.wait_for_function("() => localStorage.getItem('cwrk.session')")
