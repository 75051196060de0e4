"""The people of `bench.page` who speak: their words are made before they come, and then they are heard."""

from __future__ import annotations

import pytest

from bench.page import voices
from bench.page.people import Room
from tests import services
from tests.integration.conftest import NewStudent


async def test_who_comes_into_voice_is_heard_whatever_it_takes_to_make_the_voices(
    chain: services.Stack, student: NewStudent, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await student("Anna")
    async with Room.with_people(chain, 2) as room, anna.in_room(room.id):
        made: list[float] = []

        def voice(hertz: float) -> list[voices.Spoken]:
            assert not any(each.voice_id for each in room.members)  # who waits in silence is given up
            made.append(hertz)
            return said(hertz)

        said = voices.voice
        monkeypatch.setattr(voices, "voice", voice)
        async with voices.speaking(room.members):
            heard: set[str] = set()
            while heard != {each.id for each in room.members}:
                heard |= {each["user_id"] for each in (await anna.frame("speakers"))["speakers"]}
        assert len(set(made)) == 2
