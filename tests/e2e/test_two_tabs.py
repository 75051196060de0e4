"""One voice a person and room: a second tab takes it over, and the first can have it back."""

from playwright.async_api import Browser, expect

from tests.e2e.conftest import TONE_HZ, NewPerson
from tests.e2e.person import Person


async def test_a_second_tab_takes_the_voice_and_the_first_does_not_fight_for_it(
    browser: Browser, new_person: NewPerson
) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await bob.register()
    room = await bob.create_room("Two tabs")
    await ann.register_and_enter(room)
    await ann.join_voice()
    await bob.join_voice()
    await bob.hears(TONE_HZ)

    async with Person.opened(browser, ann.url, "Ann", session_of=ann) as second:
        await second.enter(room)
        await second.join_voice()
        await expect(ann.page.locator(".hint")).to_contain_text("moved to another tab")
        await bob.hears(TONE_HZ)
        await second.hears(TONE_HZ)
        await ann.page.get_by_role("button", name="Bring it here").click()
        await expect(second.page.locator(".hint")).to_contain_text("moved to another tab")
        await ann.hears(TONE_HZ)
    assert ann.frames_sent("offer") == 2
    await bob.sees("Ann", "Bob")
