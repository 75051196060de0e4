"""The main job, from the door to the way out."""

import asyncio

from tests.e2e.conftest import TONE_HZ, Figure, NewPerson

RING = "() => parseFloat(document.querySelector('.speaks .halo')?.style.transform.slice(6)) > 1.04"
# Four seconds of talk.
PACKETS = 200


async def test_two_people_meet_chat_speak_and_part(new_person: NewPerson, figure: Figure) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    room = await ann.create_room("Linear algebra", "Chapter 3")
    await bob.register_and_enter(room)
    await ann.sees("Ann", "Bob")
    await bob.sees("Ann", "Bob")

    await ann.say("Hello Bob")
    await bob.reads("Hello Bob")
    await bob.say("Hello Ann,\nhow are you?")
    await ann.reads("Hello Bob", "Hello Ann,\nhow are you?")

    await asyncio.gather(ann.join_voice(), bob.join_voice())
    heard = await bob.hears(TONE_HZ)
    figure(f"Bob hears Ann's {TONE_HZ} Hz as {heard['hertz']:.1f} Hz")
    await bob.sees_speaking("Ann")
    # The ring is as wide as the voice is loud: 440 Hz, well above the quietest that is shown.
    await bob.page.wait_for_function(RING)
    await ann.hears(TONE_HZ)

    await ann.mute()
    await bob.hears_nothing()
    await bob.page.locator(".person", has_text="Ann").get_by_text("muted").wait_for()
    await ann.unmute()
    await bob.hears(TONE_HZ)

    for listener in (ann, bob):
        totals = await listener.inbound(PACKETS)
        figure(
            f"{listener.name}'s browser: {totals['received']:.0f} packets received, {totals['lost']:.0f} lost"
        )
        assert totals["received"] >= PACKETS
        assert totals["lost"] == 0

    await bob.leave()
    await ann.sees("Ann")
    assert ann.complaints == bob.complaints == []
