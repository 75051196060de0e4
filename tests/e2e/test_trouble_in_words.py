"""Things that are pulled out while one talks: a sentence, and a way on."""

from playwright.async_api import expect

from tests.e2e.conftest import TONE_HZ, NewPerson

# A machine whose devices come and go as the test says; those that stay are the browser's own.
DEVICES = """(() => {
    const all = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
    const headphones = { kind: 'audiooutput', deviceId: 'h', label: 'My headphones', groupId: 'h' };
    let plugged = true;
    navigator.mediaDevices.enumerateDevices = async () => [...await all(), ...(plugged ? [headphones] : [])];
    window.pullOut = () => {
        plugged = false;
        navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
    };
})()"""
TRACK = "ear.peers[0].getSenders()[0].track"


async def test_headphones_and_a_microphone_are_pulled_out(new_person: NewPerson) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    room = await ann.create_room("Loose plugs")
    await ann.join_voice()
    await bob.page.add_init_script(DEVICES)
    await bob.register_and_enter(room)
    await bob.join_voice()
    await ann.hears(TONE_HZ)

    await bob.page.evaluate("pullOut()")
    hint = bob.page.locator(".hint")
    await expect(hint).to_contain_text("“My headphones” has been unplugged")
    await hint.get_by_role("button", name="Choose").click()
    await expect(bob.page.get_by_role("dialog", name="Voice settings")).to_be_visible()
    await bob.page.keyboard.press("Escape")
    await expect(hint).to_have_count(0)

    # What a browser does when the thing is gone: the track has ended. Another microphone is taken.
    before = await bob.page.evaluate(f"(window.gone = {TRACK}).label")
    await bob.page.evaluate("gone.stop(), gone.dispatchEvent(new Event('ended'))")
    await bob.page.wait_for_function(f"() => {TRACK} !== gone && {TRACK}.readyState === 'live'")
    await expect(bob.page.locator(".notice")).to_contain_text(f"“{before}” has been unplugged. You now speak")
    await ann.hears(TONE_HZ)
    assert bob.frames_sent("offer") == 1
    assert bob.complaints == []
