"""A browser that lets no sound out before a click: a sentence and a button, and any other click will do."""

from playwright.async_api import expect

from tests.e2e.conftest import TONE_HZ, NewPerson

# What autoplay rules do, without their many conditions: sound only after a click here or there.
HOLDS_BACK = """(() => {
    const play = HTMLMediaElement.prototype.play;
    let held = true;
    HTMLMediaElement.prototype.play = function () {
        return held ? Promise.reject(new DOMException('click first', 'NotAllowedError')) : play.call(this);
    };
    addEventListener('click', ({ target }) => {
        if (target.closest('.hint, .composer')) held = false;
    }, true);
})()"""
PLAYING = "() => [...document.querySelectorAll('audio')].every((element) => !element.paused)"


async def test_one_click_lets_the_sound_out(new_person: NewPerson) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    room = await ann.create_room("Hush")
    await ann.join_voice()
    await bob.page.add_init_script(HOLDS_BACK)
    await bob.register_and_enter(room)
    await bob.join_voice()
    assert not await bob.page.evaluate(PLAYING)
    await bob.page.get_by_role("button", name="Turn the sound on").click()
    await expect(bob.page.locator(".hint")).to_have_count(0)
    await bob.page.wait_for_function(PLAYING)
    await bob.hears(TONE_HZ)

    await bob.page.reload()
    await bob.join_voice()
    await expect(bob.page.locator(".hint")).to_contain_text("blocks sound")
    await bob.page.locator(".composer textarea").click()
    await expect(bob.page.locator(".hint")).to_have_count(0)
    await bob.hears(TONE_HZ)
