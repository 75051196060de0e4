"""A service dies while people talk and write; nobody has to click anything."""

from playwright.async_api import expect

from tests.e2e.conftest import TONE_HZ, Figure, NewPerson
from tests.services import Stack

#: What is promised is 3 s on a machine that has time; the figures at the end of the run say what it was.
LONGEST_S = 8.0


async def test_what_is_written_meanwhile_arrives_once_and_the_talk_goes_on(
    new_person: NewPerson, stack: Stack, figure: Figure
) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    room = await ann.create_room("Rough weather")
    await bob.register_and_enter(room)
    await ann.join_voice()
    await bob.join_voice()
    await bob.hears(TONE_HZ)
    await ann.say("before")
    await bob.reads("before")

    await bob.watches_gaps()
    stack.kill("rooms")
    status = ann.page.locator("[data-connection]")
    await expect(status).to_contain_text("The connection is lost")
    await bob.hears(TONE_HZ)  # voices take another way
    gap = await bob.longest_gap()
    await ann.say("meanwhile")
    await ann.say("and another")
    await expect(ann.page.locator(".message.pending")).to_have_count(2)
    await ann.mute()
    await bob.hears_nothing()

    stack.start("rooms")
    await ann.reads("before", "meanwhile", "and another")
    await bob.reads("before", "meanwhile", "and another")
    await expect(status).to_be_hidden()
    await ann.sees("Ann", "Bob")
    await bob.person("Ann").get_by_text("muted").wait_for()
    await bob.hears_nothing()
    await ann.unmute()
    await bob.hears(TONE_HZ)
    offers = [person.frames_sent("offer") for person in (ann, bob)]
    attached = [person.frames_sent("voice_attach") for person in (ann, bob)]
    figure(
        f"rooms killed and started again: offers {offers}, adopted {attached}, nothing heard for {gap:.2f} s"
    )
    assert gap < LONGEST_S


async def test_voices_come_back_after_their_worker(
    new_person: NewPerson, stack: Stack, figure: Figure
) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    room = await ann.create_room("A worker falls")
    await bob.register_and_enter(room)
    await ann.join_voice()
    await bob.join_voice()
    await bob.hears(TONE_HZ)

    await bob.watches_gaps()
    stack.kill("media")
    stack.start("media")
    await ann.sends("offer", times=2)
    await bob.sends("offer", times=2)
    await bob.hears(TONE_HZ)
    await ann.hears(TONE_HZ)
    gap = await bob.longest_gap()
    figure(f"media killed and started again: nothing heard for {gap:.1f} s")
    assert gap < LONGEST_S


async def test_a_server_that_hangs_is_noticed_by_who_talks_and_by_who_writes(
    new_person: NewPerson, stack: Stack
) -> None:
    """The pages' clocks are put forward; 35 s of silence are a hung server's for who does neither."""
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    room = await ann.create_room("Nobody answers")
    await bob.register()
    for each in (ann, bob):
        await each.page.clock.install()
        await each.enter(room)
    await bob.join_voice()
    await bob.gets("quality")

    stack.hang("rooms")
    try:
        await ann.say("Is anybody there?")
        for each, silence in (ann, 5_000), (bob, 8_000):
            status = each.page.locator("[data-connection]")
            await expect(status).to_be_hidden()
            await each.page.clock.fast_forward(silence)
            await each.page.clock.fast_forward(6_000)
            await expect(status).to_contain_text("The connection is lost")
    finally:
        stack.wake("rooms")
    await bob.reads("Is anybody there?")
    await expect(ann.page.locator(".message.pending")).to_have_count(0)
