"""Two clients talk through the real worker, and hear each other's tone."""

from __future__ import annotations

import asyncio

import pytest

from client import Client, PersonUpdated, VoiceEnded
from client.voice import Voice
from tests.integration.client.conftest import NewClient
from tests.integration.client.hearing import PATIENCE, hear, lose_the_websocket
from tests.integration.client.tone import pitch
from tests.integration.student import PASSWORD
from tests.media.browser import Tone
from tests.services import Stack


async def until_silent(voice: Voice) -> None:
    """Nothing comes for half a second, whatever was on its way before."""
    frames = voice.heard()
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                async with asyncio.timeout(0.5):
                    await anext(frames)
            except TimeoutError:
                return


async def test_two_hear_each_other_and_a_mute_is_the_servers(person: NewClient) -> None:
    anna, boris = await person("Anna"), await person("Boris")
    info = await anna.create_room("Talk")
    async with anna.room(info.id) as hers, boris.room(info.id) as his:
        her_voice = await hers.join_voice(Tone(440), slots=2)
        his_voice = await his.join_voice(Tone(660), slots=1)
        assert her_voice.connected
        assert await pitch(his_voice, anna.user.id) == pytest.approx(440, abs=15)
        assert await pitch(her_voice, boris.user.id) == pytest.approx(660, abs=15)
        assert her_voice.in_slots == {boris.user.id}
        await her_voice.mute()
        assert (await hear(his, PersonUpdated)).person.muted_by == "self"
        await until_silent(his_voice)
        await her_voice.mute(False)
        assert await pitch(his_voice, anna.user.id) == pytest.approx(440, abs=15)
        await his_voice.leave()
        assert [frame async for frame in his_voice.heard()] == []


async def test_who_only_listens_hears(person: NewClient) -> None:
    anna, boris = await person("Anna"), await person("Boris")
    info = await anna.create_room("Talk")
    async with anna.room(info.id) as hers, boris.room(info.id) as his:
        listening = await his.join_voice(slots=3)
        await hers.join_voice(Tone(440), slots=0)
        assert await pitch(listening, anna.user.id) == pytest.approx(440, abs=15)


async def test_the_voice_outlives_the_websocket_and_is_offered_anew_when_the_worker_dies(
    chain: Stack, person: NewClient
) -> None:
    anna, boris = await person("Anna"), await person("Boris")
    info = await anna.create_room("Talk")
    async with anna.room(info.id) as hers, boris.room(info.id) as his:
        await hers.join_voice(Tone(440), slots=1)
        listening = await his.join_voice(slots=1)
        assert await pitch(listening, anna.user.id) == pytest.approx(440, abs=15)
        first = listening.voice_id

        for room in (hers, his):
            await lose_the_websocket(room)
        assert await pitch(listening, anna.user.id) == pytest.approx(440, abs=15)
        for room in (hers, his):
            await room.say("back")
        assert listening.voice_id == first

        chain.kill("media")
        await until_silent(listening)
        chain.start("media")
        assert await pitch(listening, anna.user.id) == pytest.approx(440, abs=15)
        assert listening.voice_id != first
    chain.wait_until_ready()


async def test_who_speaks_from_elsewhere_takes_over(person: NewClient, chain: Stack) -> None:
    anna = await person("Anna")
    info = await anna.create_room("Talk")
    async with Client(chain.url) as elsewhere:
        await elsewhere.login(anna.user.email, PASSWORD)
        async with anna.room(info.id) as here, elsewhere.room(info.id) as there:
            voice = await here.join_voice(Tone(440), slots=1)
            other = await there.join_voice(Tone(440), slots=1)
            assert [frame async for frame in voice.heard()] == []
            assert isinstance(voice.ended, VoiceEnded)
            assert voice.ended.reason == "taken_over"
            assert other.connected
