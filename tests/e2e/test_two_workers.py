"""Two rooms on two media workers. One is killed: its room goes on at the other, whose own notices nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest

from tests.e2e import namespace
from tests.e2e.conftest import TONE_HZ, Figure, NewPerson
from tests.e2e.person import Person
from tests.services import Stack

#: What is promised is 3 s on a machine that has time; the figures at the end of the run say what it was.
LONGEST_S = 8.0
# Services of its own, and four people.
pytestmark = pytest.mark.timeout(150)

#: Five seconds of one voice.
PACKETS = 250


@pytest.fixture
def chain() -> Iterator[Stack]:
    with namespace.stack(workers=2) as running:
        yield running


def worker_of(person: Person, chain: Stack) -> str:
    """The name of the worker that the person's voice was last answered by."""
    answers = [frame["payload"]["sdp"] for frame in person.received if frame["type"] == "answer"]
    found = re.search(r"a=candidate:\S+ 1 udp \d+ \S+ (\d+) typ host", answers[-1])
    assert found is not None, answers[-1]
    port = int(found[1])
    (name,) = [
        each.name
        for each in chain.services.values()
        if any(its.udp and its.number == port for its in each.ports)
    ]
    return name


async def test_a_killed_worker_costs_its_own_room_a_moment(
    chain: Stack, new_person: NewPerson, figure: Figure
) -> None:
    ann, bob, eve, kim = [await new_person(name, url=chain.url) for name in ("Anna", "Boris", "Eve", "Kim")]
    everybody = (ann, bob, eve, kim)
    for first, second, name in ((ann, bob, "Algebra"), (eve, kim, "Biology")):
        await first.register()
        await second.register_and_enter(await first.create_room(name))
        await asyncio.gather(first.join_voice(), second.join_voice())
        await asyncio.gather(first.hears(TONE_HZ), second.hears(TONE_HZ))
    killed, other = worker_of(ann, chain), worker_of(eve, chain)
    assert {killed, other} == {"media", "media-2"}
    before = [int((await each.inbound(1))["received"]) for each in (eve, kim)]
    for each in everybody:
        await each.watches_gaps()

    chain.kill(killed)
    for each in (ann, bob):
        await each.sends("offer", times=2)
        await each.hears(TONE_HZ)
        assert worker_of(each, chain) == other
    for each, had in zip((eve, kim), before, strict=True):
        assert (await each.inbound(had + PACKETS))["received"] >= had + PACKETS
        assert each.frames_sent("offer") == 1
        assert not any(frame["type"] == "voice_lost" for frame in each.received)
    gaps = [await each.longest_gap() for each in everybody]
    told = [f"{gap * 1000:.0f}" for gap in gaps]
    figure(
        f"a worker of two is killed: its room hears nothing for {told[0]} and {told[1]} ms, the other one for"
        f" {told[2]} and {told[3]} ms"
    )
    assert max(gaps[:2]) < LONGEST_S
