"""The shared study timer: one for all, quiet while one focuses, there for who comes later."""

from playwright.async_api import expect

from tests.e2e.conftest import NewPerson
from tests.e2e.pictures import picture
from tests.services import Stack


async def test_the_timer_is_one_for_all_and_hushes(new_person: NewPerson, stack: Stack) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    room = await ann.create_room("Algebra")
    await bob.register_and_enter(room)
    await ann.join_voice()

    await bob.page.get_by_role("button", name="Study timer").click()
    await bob.page.get_by_role("button", name="50 minutes of focus, 10 of break").click()
    await picture(bob.page, "study-set")
    await bob.page.get_by_role("button", name="Start").click()
    for person in (ann, bob):
        await expect(person.page.locator(".study.focus .left")).to_contain_text(":")
    # Ann's microphone goes off, and is hers to turn on again.
    await expect(ann.page.get_by_text("We focus now: your microphone is off.")).to_be_visible()
    await ann.unmute()
    await expect(ann.page.get_by_role("button", name="Mute", exact=True)).to_be_visible()

    shown = ann.page.locator(".study .left")
    before = await shown.inner_text()
    await expect(shown).not_to_have_text(before)  # it goes

    await ann.page.locator(".study").click()
    await picture(ann.page, "study-running")
    await ann.page.get_by_role("button", name="Pause").click()
    await expect(bob.page.locator(".study.paused")).to_be_visible()
    left = await bob.page.locator(".study .left").inner_text()

    assert ann.complaints == bob.complaints == []
    # It outlives the service that counts it.
    stack.kill("rooms")
    stack.start("rooms")
    cleo = await new_person("Cleo")
    await cleo.register_and_enter(room)
    for person in (ann, bob, cleo):
        await expect(person.page.locator(".study.paused .left")).to_have_text(left)

    # Who joins the talk within a focus is quiet to begin with, and writes as ever.
    await cleo.page.locator(".study").click()
    await cleo.page.get_by_role("button", name="Go on").click()
    await bob.join_voice()
    await expect(bob.page.get_by_role("button", name="Unmute")).to_be_visible()
    await bob.say("I can write at least")
    await ann.reads("I can write at least")

    await cleo.page.locator(".study.focus").click()
    await cleo.page.get_by_role("button", name="Stop").click()
    for person in (ann, bob, cleo):
        await expect(person.page.locator(".study.off")).to_be_visible()
