"""Voices by IPv6 alone, where this machine has it."""

from __future__ import annotations

from tests.e2e import namespace
from tests.e2e.conftest import TONE_HZ, Figure, NewPerson
from tests.media.hosts import HOSTS
from tests.services import Stack

ADDRESS = """async () => {
    const report = await ear.peers.at(-1).getStats();
    const transport = [...report.values()].find(({ type }) => type === 'transport');
    return report.get(report.get(transport.selectedCandidatePairId).remoteCandidateId).address;
}"""


async def test_two_people_talk(new_person: NewPerson, stack: Stack, figure: Figure) -> None:
    host = namespace.ADDRESS_V6 if namespace.inside() and len(HOSTS) > 1 else HOSTS[-1]
    with stack.changed("media", MEDIA_HOST=host):
        ann, bob = await new_person("Ann"), await new_person("Bob")
        await ann.register()
        room = await ann.create_room("Six")
        await bob.register_and_enter(room)
        await ann.join_voice()
        await bob.join_voice()
        await bob.hears(TONE_HZ)
        await ann.hears(TONE_HZ)
        addresses = [await each.page.evaluate(ADDRESS) for each in (ann, bob)]
        figure(f"voices go to {addresses[0]} and {addresses[1]}")
        assert addresses == [host, host]
