"""One offer and one answer a connection, whoever comes and goes later."""

import asyncio

from tests.e2e.conftest import TONE_HZ, Figure, NewPerson


async def test_a_third_joins_and_leaves_without_a_new_offer(new_person: NewPerson, figure: Figure) -> None:
    ann, bob, eve = [await new_person(name) for name in ("Anna", "Boris", "Eve")]
    await ann.register()
    room = await ann.create_room("Three at a table")
    await asyncio.gather(bob.register_and_enter(room), eve.register_and_enter(room))
    await asyncio.gather(ann.join_voice(), bob.join_voice())
    await asyncio.gather(ann.mute(), bob.mute())
    await ann.hears_nothing()

    await eve.join_voice()
    await asyncio.gather(ann.hears(TONE_HZ), bob.hears(TONE_HZ))

    await eve.leave()
    await asyncio.gather(ann.sees("Anna", "Boris"), bob.sees("Anna", "Boris"))
    await asyncio.gather(ann.hears_nothing(), bob.hears_nothing())
    await bob.unmute()
    await ann.hears(TONE_HZ)

    offers = [person.frames_sent("offer") for person in (ann, bob, eve)]
    figure(f"offers sent by three people, one of whom came late and left: {offers}")
    assert offers == [1, 1, 1]
    assert (await ann.inbound(50))["lost"] == (await bob.inbound(1))["lost"] == 0
