"""History comes in as one scrolls up, and what one reads stays where it is."""

from playwright.async_api import expect

from tests.e2e.conftest import NewPerson

MANY = 70  # more than a page of history has

TOP_OF = "(element) => element.getBoundingClientRect().top"
# To the beginning of what is here, where more comes in; and where that puts it.
SCROLL_UP = """(element) => {
    document.querySelector('.log').scrollTop = 0;
    return element.getBoundingClientRect().top;
}"""


async def test_scrolling_up_loads_what_was_said_before(new_person: NewPerson) -> None:
    ann = await new_person("Ann")
    await ann.register()
    room = await ann.create_room("Long talk")
    texts = [f"Message {number}" for number in range(MANY)]
    for text in texts:
        await ann.say(text)
    await ann.reads(*texts)

    await ann.enter(room)
    shown = ann.page.locator(".message .text")
    await expect(shown.last).to_have_text(texts[-1])
    await expect(shown.last).to_be_in_viewport()
    assert await shown.count() < MANY

    oldest = ann.page.get_by_text(await shown.first.inner_text(), exact=True)
    before = await oldest.evaluate(SCROLL_UP)
    await expect(shown).to_have_text(texts)
    assert abs(await oldest.evaluate(TOP_OF) - before) < 2, "what one reads has moved"
