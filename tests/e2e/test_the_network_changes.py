"""The way to the worker changes or dies while people talk; the same voice goes on by another."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.e2e.conftest import TONE_HZ, Figure, NewPerson
from tests.e2e.person import Person
from tests.e2e.relay import Relay
from tests.services import Stack

#: What is promised is 3 s on a machine that has time; the figures at the end of the run say what it was.
LONGEST_S = 8.0


async def talking(new_person: NewPerson, room: str) -> tuple[Person, Person]:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    path = await ann.create_room(room)
    await bob.register_and_enter(path)
    await ann.join_voice()
    await bob.join_voice()
    await bob.hears(TONE_HZ)
    await ann.hears(TONE_HZ)
    return ann, bob


def voice_ids(person: Person) -> set[str]:
    return {frame["payload"]["voice_id"] for frame in person.received if frame["type"] == "answer"}


async def test_a_new_network_is_taken_without_a_gap(new_person: NewPerson, figure: Figure) -> None:
    ann, bob = await talking(new_person, "Moving")
    for each in (ann, bob):
        await each.watches_gaps()
    before = [await each.inbound(1) for each in (ann, bob)]
    await bob.page.evaluate("dispatchEvent(new Event('online'))")
    await bob.sends("offer", times=2)
    after = [
        await each.inbound(int(had["received"]) + 100) for each, had in zip((ann, bob), before, strict=True)
    ]
    assert len(voice_ids(bob)) == 1
    assert [had["lost"] for had in after] == [had["lost"] for had in before]
    gaps = [await each.longest_gap() for each in (ann, bob)]
    figure(
        f"Bob restarts ICE: Ann misses him for {gaps[0] * 1000:.0f} ms, he misses her for"
        f" {gaps[1] * 1000:.0f} ms, no packet lost"
    )
    assert max(gaps) < LONGEST_S


@pytest_asyncio.fixture(loop_scope="session")
async def relay(stack: Stack) -> AsyncIterator[Relay]:
    """Voices go through it, while the test lasts."""
    host = stack.env["MEDIA_HOST"]
    relay = Relay(host, int(stack.env["MEDIA_PORT"]))
    with stack.changed("media", MEDIA_ADVERTISE=f"{host}:{relay.port}", MEDIA_TCP_CONNECTIONS="0"):
        yield relay
    relay.close()


async def test_a_path_that_dies_is_left(new_person: NewPerson, relay: Relay, figure: Figure) -> None:
    ann, bob = await talking(new_person, "A cut cable")
    for each in (ann, bob):
        await each.watches_gaps()
    relay.kill()
    for each in (ann, bob):
        await each.sends("offer", times=2)
        await each.hears(TONE_HZ)
    gaps = [await each.longest_gap() for each in (ann, bob)]
    same = [len(voice_ids(each)) == 1 for each in (ann, bob)]
    figure(f"a path that dies: nothing heard for {gaps[0]:.1f} s and {gaps[1]:.1f} s, the same voice: {same}")
    assert same == [True, True]
    assert max(gaps) < LONGEST_S
