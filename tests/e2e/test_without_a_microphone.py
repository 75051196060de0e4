"""No microphone, for whatever reason: a sentence, a way on, and one hears the others all the same."""

import pytest
from playwright.async_api import expect

from tests.e2e import namespace
from tests.e2e.conftest import TONE_HZ, NewPerson
from tests.e2e.person import Person
from tests.services import Stack

REFUSES = """(() => {
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    let refusals = 1;
    const permission = Object.assign(new EventTarget(), { state: 'denied' });
    navigator.permissions.query = async () => permission;
    window.allow = () => {
        permission.state = 'granted';
        permission.dispatchEvent(new Event('change'));
    };
    navigator.mediaDevices.getUserMedia = async (wanted) => {
        if (refusals-- > 0) throw new DOMException('no', ERROR);
        return open(wanted);
    };
})()"""


async def speaker_in_a_room(new_person: NewPerson) -> tuple[Person, str]:
    speaker = await new_person("Speaker")
    await speaker.register()
    room = await speaker.create_room("Listening")
    await speaker.join_voice()
    return speaker, room


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("NotAllowedError", "does not let this page use"),
        ("NotFoundError", "There is no microphone"),
        ("NotReadableError", "cannot be opened"),
    ],
)
async def test_who_has_no_microphone_listens_and_may_speak_later(
    new_person: NewPerson, error: str, sentence: str
) -> None:
    speaker, room = await speaker_in_a_room(new_person)
    listener = await new_person("Listener")
    await listener.page.add_init_script(REFUSES.replace("ERROR", repr(error)))
    await listener.register_and_enter(room)
    await listener.join_voice()
    await listener.hears(TONE_HZ)
    await expect(listener.page.locator(".hint")).to_contain_text(sentence)
    await expect(listener.page.get_by_role("button", name="Listening only")).to_be_disabled()

    await listener.page.get_by_role("button", name="Try again").click()
    await expect(listener.page.locator(".hint")).to_have_count(0)
    await expect(listener.page.get_by_role("button", name="Mute", exact=True)).to_be_enabled()
    await speaker.hears(TONE_HZ)
    assert listener.frames_sent("offer") == 1


async def test_who_allows_it_after_all_need_not_try_again(new_person: NewPerson) -> None:
    speaker, room = await speaker_in_a_room(new_person)
    listener = await new_person("Listener")
    await listener.page.add_init_script(REFUSES.replace("ERROR", "'NotAllowedError'"))
    await listener.register_and_enter(room)
    await listener.join_voice()
    await expect(listener.page.locator(".hint")).to_contain_text("does not let this page use")
    await listener.page.evaluate("allow()")
    await expect(listener.page.locator(".hint")).to_have_count(0)
    await speaker.hears(TONE_HZ)


@pytest.mark.skipif(not namespace.inside(), reason="needs an address that is not loopback")
async def test_a_page_without_https_listens(new_person: NewPerson, stack: Stack) -> None:
    _, room = await speaker_in_a_room(new_person)
    listener = await new_person("Listener", url=namespace.insecure_url(stack))
    await listener.register_and_enter(room)
    await listener.join_voice()
    await listener.hears(TONE_HZ)
    await expect(listener.page.locator(".hint")).to_contain_text("https")
    await listener.say("I can write at least")
    await listener.reads("I can write at least")
