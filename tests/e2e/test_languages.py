"""English and Russian: which one, and what each does with numbers and times."""

from playwright.async_api import expect

from tests.e2e.conftest import NewPerson

SAYS = """async ([key, values]) => (await import('/static/text.js')).t(key, values)"""


async def test_the_browsers_list_of_languages_decides_until_a_click_does(new_person: NewPerson) -> None:
    # German is not spoken here; of those that are, Russian comes first.
    prefers = "Object.defineProperty(navigator, 'languages', { get: () => ['de-DE', 'ru-RU', 'en-US'] })"
    vera = await new_person("Vera", locale="de-DE")
    await expect(vera.page.get_by_role("heading", name="Log in")).to_be_visible()
    await vera.page.add_init_script(prefers)
    await vera.page.reload()
    await expect(vera.page.get_by_role("heading", name="Войти")).to_be_visible()
    await expect(vera.page.locator("html")).to_have_attribute("lang", "ru")
    await expect(vera.page).to_have_title("Войти · cwrkPlanet")
    await vera.page.get_by_role("button", name="English").click()
    await vera.page.reload()
    await expect(vera.page.get_by_role("heading", name="Log in")).to_be_visible()


async def test_russian_counts_as_russians_do(new_person: NewPerson) -> None:
    vera = await new_person("Vera", locale="ru-RU")
    for key, number, sentence in (
        ("here", 1, "1 человек здесь"),
        ("here", 3, "3 человека здесь"),
        ("here", 12, "12 человек здесь"),
        ("here", 21, "21 человек здесь"),
        ("unread", 22, "22 непрочитанных сообщения"),
        ("newMessages", 111, "111 новых сообщений"),
        ("many.came", 24, "Вошли 24 человека."),
        ("everySeconds", 1, "Раз в 1 секунду"),
    ):
        assert await vera.page.evaluate(SAYS, [key, {"n": number}]) == sentence
    shares = "async () => (await import('/static/text.js')).percent(0.005, 1)"
    assert await vera.page.evaluate(shares) == "0,5\u00a0%"
