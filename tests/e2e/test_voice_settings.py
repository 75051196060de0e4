"""How one talks and hears: the microphone, its switches, the key to talk, deafness, everybody's volume."""

from playwright.async_api import expect

from tests.e2e.conftest import TONE_HZ, NewPerson
from tests.e2e.person import Person
from tests.e2e.pictures import picture

SENT = "() => ear.peers[0].getSenders()[0].track"
# The first slot has somebody's voice in it: nobody else is in the room.
ELEMENT = "() => document.querySelector('audio[data-mid]')"


async def two_in_a_room(new_person: NewPerson, room: str) -> tuple[Person, Person]:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    path = await ann.create_room(room)
    await bob.register_and_enter(path)
    await bob.join_voice()
    return ann, bob


async def test_a_microphone_is_tried_before_joining_and_changed_without_a_new_offer(
    new_person: NewPerson,
) -> None:
    ann, bob = await two_in_a_room(new_person, "Microphones")
    settings = ann.page.get_by_role("button", name="Voice settings")
    await settings.click()
    meter = ann.page.get_by_role("meter")
    await ann.page.wait_for_function("() => document.querySelector('[role=meter]')?.ariaValueNow > 20")
    chosen = ann.page.get_by_label("Microphone", exact=True)
    await chosen.select_option(label="Fake Audio Input 1")
    await expect(meter).to_be_visible()
    await picture(ann.page, "voice-settings")
    await ann.page.keyboard.press("Escape")
    await expect(ann.page.get_by_role("dialog")).to_have_count(0)
    await expect(settings).to_be_focused()

    await ann.join_voice()
    await bob.hears(TONE_HZ)
    assert await ann.page.evaluate(f"({SENT})().label") == "Fake Audio Input 1"
    await settings.click()
    await chosen.select_option(label="Fake Audio Input 2")
    await ann.page.wait_for_function(f"() => ({SENT})().label === 'Fake Audio Input 2'")
    await ann.page.get_by_role("switch", name="Noise suppression").uncheck()
    await ann.page.wait_for_function(f"() => !({SENT})().getSettings().noiseSuppression")
    for switch, setting in (("Echo cancellation", "echoCancellation"), ("Even loudness", "autoGainControl")):
        await ann.page.get_by_role("switch", name=switch).uncheck()
        await ann.page.wait_for_function(f"() => ({SENT})().getSettings().{setting} === false")
    await ann.page.get_by_role("switch", name="Join voice as soon as I come").check()
    await ann.page.keyboard.press("Escape")
    await bob.hears(TONE_HZ)
    assert ann.frames_sent("offer") == 1

    # A call takes it, on a phone, and gives it back: browsers say so.
    await ann.page.evaluate(f"() => ({SENT})().dispatchEvent(new Event('mute'))")
    await expect(ann.page.locator(".hint")).to_contain_text("The microphone gives no sound")
    await ann.page.evaluate(f"() => ({SENT})().dispatchEvent(new Event('unmute'))")
    await expect(ann.page.locator(".hint")).to_have_count(0)

    # All of it is remembered: voice comes by itself now, with the same microphone.
    await ann.page.reload()
    await expect(ann.page.locator("[data-voice]")).to_have_attribute("data-voice", "on")
    await ann.page.wait_for_function(f"() => ({SENT})()?.label === 'Fake Audio Input 2'")
    await bob.hears(TONE_HZ)
    assert ann.complaints == []


async def test_a_key_is_held_to_talk_and_what_is_written_is_not_talk(new_person: NewPerson) -> None:
    ann, bob = await two_in_a_room(new_person, "Walkie-talkie")
    await ann.join_voice()
    await bob.hears(TONE_HZ)
    await ann.page.get_by_role("button", name="Voice settings").click()
    await ann.page.get_by_role("switch", name="Hold a key to talk").check()
    await ann.page.keyboard.press("Escape")
    await bob.hears_nothing()
    await ann.page.keyboard.down("Space")
    await bob.hears(TONE_HZ)
    await ann.page.keyboard.up("Space")
    await bob.hears_nothing()
    await ann.page.get_by_role("button", name="Voice settings").click()
    await ann.page.get_by_role("button", name="Space", exact=True).click()
    await ann.page.keyboard.press("v")
    await expect(ann.page.get_by_role("button", name="V", exact=True)).to_be_visible()
    await ann.page.get_by_role("button", name="Close").click()
    await bob.hears_nothing()

    await ann.page.keyboard.down("v")
    await bob.hears(TONE_HZ)
    await expect(ann.page.get_by_role("button", name="You are heard")).to_be_visible()
    await ann.page.keyboard.up("v")
    await bob.hears_nothing()
    await ann.say("very v")
    await bob.reads("very v")
    await expect(ann.page.get_by_role("button", name="Hold to talk (V)")).to_be_enabled()

    talk = ann.page.get_by_role("button", name="Hold to talk (V)")
    await talk.hover()
    await ann.page.mouse.down()
    await bob.hears(TONE_HZ)
    await ann.page.mouse.up()
    await bob.hears_nothing()
    assert ann.complaints == []


async def test_a_volume_for_each_a_deaf_ear_and_how_the_connection_is(new_person: NewPerson) -> None:
    ann, bob = await two_in_a_room(new_person, "Volumes")
    await ann.join_voice()
    await ann.hears(TONE_HZ)
    card = await ann.open_card("Bob")
    await card.get_by_role("slider", name="Volume of Bob").fill("30")
    await ann.page.wait_for_function(f"() => ({ELEMENT})().volume === 0.3")
    await ann.page.keyboard.press("Escape")
    await expect(card).to_be_hidden()
    await expect(ann.person("Bob").get_by_role("button").first).to_be_focused()

    await ann.page.keyboard.press("d")
    await ann.page.wait_for_function(f"() => ({ELEMENT})().muted")
    await expect(bob.person("Ann")).to_contain_text("muted")
    await bob.hears_nothing()
    await ann.page.get_by_role("button", name="Hear the others again").click()
    await ann.page.wait_for_function(f"() => !({ELEMENT})().muted")
    await bob.hears(TONE_HZ)

    await ann.gets("quality")
    await ann.page.get_by_role("button", name="Your connection").click()
    mine = ann.page.get_by_role("dialog", name="Your connection")
    await expect(mine).to_contain_text("Round trip")
    await expect(mine).to_contain_text("ms")
    await picture(ann.page, "own-link")

    # Figures that a machine in a good mood never has, and what is said of them.
    words = """async ([rttMs, loss, jitterMs, mos]) =>
        (await import('/static/quality.js')).whyOf({ rttMs, loss, jitterMs, mos })"""
    for figures, sentence in (
        ([20, 0, 3, 4.4], "Your connection is good"),
        ([20, 0.08, 3, 3.1], "About 8% of the sound gets lost"),
        ([600, 0, 3, 3.3], "reach the server (600 ms)"),
        ([20, 0, 90, 3.4], "unevenly (by 90 ms)"),
    ):
        assert sentence in await ann.page.evaluate(words, figures)

    await ann.page.reload()
    await ann.join_voice()
    await ann.page.wait_for_function(f"() => ({ELEMENT})().volume === 0.3")
    assert ann.complaints == []
