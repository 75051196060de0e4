"""A program with aiortc's own RTCPeerConnection, and a Chromium: neither knows what the other is."""

from __future__ import annotations

import pytest
from aioice import ice

from tests.e2e.conftest import TONE_HZ, Figure, NewPerson
from tests.integration.student import Student
from tests.media.browser import Program
from tests.services import Stack

PROGRAM_HZ = 600


async def test_they_hear_each_other(
    new_person: NewPerson, stack: Stack, figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    # aioice leaves loopback out, and where there is no namespace there is nothing else.
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [stack.env["MEDIA_HOST"]])
    ann = await new_person("Ann")
    await ann.register()
    room = (await ann.create_room("A robot")).rpartition("/")[2]
    await ann.join_voice()
    async with Student.registered(stack.url, stack.ws_url, "Robot") as robot, robot.in_room(room):
        program = Program(hertz=PROGRAM_HZ)
        try:
            await robot.send("offer", sdp=await program.offer())
            answer = await robot.frame("answer")
            await program.take(answer["sdp"])
            slot = [each["user_id"] is not None for each in answer["slots"]].index(True)
            pitch = await program.pitch(slot)
            heard = await ann.hears(PROGRAM_HZ)
            figure(
                f"aiortc hears Chromium's {TONE_HZ} Hz as {pitch} Hz; Chromium hears aiortc's {PROGRAM_HZ} Hz"
                f" as {heard['hertz']:.1f} Hz"
            )
            assert pitch == pytest.approx(TONE_HZ, abs=15)
            assert await program.lost(slot) == 0
        finally:
            await program.connection.close()
        await ann.hears_nothing()
    assert ann.frames_sent("offer") == 1
