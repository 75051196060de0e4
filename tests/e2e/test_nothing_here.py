"""An address that nobody has: a sentence and a way on, for whoever comes there."""

from playwright.async_api import expect

from tests.e2e.conftest import NewPerson


async def test_a_wrong_address_says_so_and_leads_to_the_rooms(new_person: NewPerson) -> None:
    vera = await new_person("Vera", locale="ru-RU")
    answer = await vera.page.goto(f"{vera.url}/nonsense")
    assert answer
    assert answer.status == 404
    await expect(vera.page.get_by_role("heading", name="Здесь ничего нет")).to_be_visible()
    await expect(vera.page).to_have_title("Здесь ничего нет · cwrkPlanet")
    await vera.page.get_by_role("button", name="English").click()
    await expect(vera.page.get_by_role("heading", name="There is nothing here")).to_be_visible()

    # Who is not signed in comes to the door, and goes on from there to the rooms.
    await vera.page.get_by_role("link", name="To the rooms").click()
    await vera.page.wait_for_url(f"{vera.url}/login")
    await vera.register()
    await expect(vera.page.get_by_role("heading", name="Rooms")).to_be_visible()

    await vera.page.goto(f"{vera.url}/r")
    await vera.page.get_by_role("link", name="To the rooms").click()
    await expect(vera.page.get_by_role("heading", name="Rooms")).to_be_visible()
    # The door is behind who is signed in.
    await vera.page.goto(f"{vera.url}/login")
    await vera.page.wait_for_url(f"{vera.url}/")
