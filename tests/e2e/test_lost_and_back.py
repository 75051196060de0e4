"""A lost connection shows, is heard, and comes back to where one was; so does what one has written."""

from playwright.async_api import Route, expect

from tests.e2e.conftest import TONE_HZ, NewPerson
from tests.e2e.tunnel import Tunnel

# What the page plays by itself, by the pitch.
HEARS_CUES = """(() => {
    window.cues = [];
    const Native = window.OscillatorNode;
    window.OscillatorNode = class extends Native {
        constructor(context, options) {
            super(context, options);
            cues.push(options.frequency);
        }
    };
})()"""


async def test_a_lost_connection_is_seen_and_heard_and_comes_back(new_person: NewPerson) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    tunnel = await Tunnel.under(ann.page)
    await ann.page.add_init_script(HEARS_CUES)
    await ann.page.reload()
    await ann.register()
    await bob.register_and_enter(await ann.create_room("Underground"))
    await ann.join_voice()
    await bob.join_voice()
    await bob.hears(TONE_HZ)
    await ann.page.keyboard.press("d")  # hears nobody, and is not heard
    await bob.hears_nothing()

    await tunnel.cut()
    lost = ann.page.locator("[data-connection]")
    await expect(lost).to_contain_text("The connection is lost. Trying again")
    await ann.page.wait_for_function("() => cues.join() === '392,294'")
    await ann.say("from below")
    await expect(ann.page.get_by_text("Will be sent when the connection is back.")).to_be_visible()

    tunnel.mend()
    await bob.reads("from below")
    await expect(lost).to_be_hidden()
    await ann.page.wait_for_function("() => cues.join() === '392,294,294,392'")
    await bob.hears_nothing()
    await ann.page.get_by_role("button", name="Hear the others again").click()
    await bob.hears(TONE_HZ)
    assert ann.frames_sent("offer") == 1
    assert ann.complaints == bob.complaints == []


async def test_who_wakes_sees_at_once_what_was_said_meanwhile(new_person: NewPerson) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.page.clock.install()
    tunnel = await Tunnel.under(ann.page)
    await ann.register()
    await bob.register_and_enter(await ann.create_room("Overnight"))
    tunnel.fall_silent()
    await bob.say("Good night")
    await ann.page.clock.fast_forward(3_600_000)  # the lid is shut
    await ann.reads("Good night")
    assert ann.complaints == []


async def test_what_was_not_saved_stays_and_is_tried_again(new_person: NewPerson) -> None:
    ann = await new_person("Ann")
    tunnel = await Tunnel.under(ann.page)
    await ann.register()
    await ann.create_room("Second try")
    tunnel.refused.add("once more")
    await ann.say("once more")
    failed = ann.page.locator(".message.pending")
    await expect(failed).to_contain_text("Not sent.")
    await ann.page.reload()  # nothing of it is lost with the page
    await expect(failed).to_contain_text("Not sent.")
    tunnel.refused.clear()
    await failed.get_by_role("button", name="Try again").click()
    await ann.reads("once more")
    await expect(failed).to_have_count(0)


async def test_a_room_that_cannot_be_reached_is_tried_until_it_can(new_person: NewPerson) -> None:
    ann = await new_person("Ann")
    await ann.register()
    room = await ann.create_room("Behind a hill")
    tries = 0

    async def away(route: Route) -> None:
        nonlocal tries
        tries += 1
        await (
            route.abort() if tries == 1 else route.fulfill(status=503) if tries == 2 else route.continue_()
        )

    await ann.page.route("**/rooms/*/join", away)
    await ann.page.goto(ann.url + room)
    await expect(ann.page.locator("[data-connection]")).to_contain_text("Trying again")
    await ann.is_in_room()
    assert tries == 3
