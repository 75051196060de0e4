"""Voices as a browser hears them: Opus that can be decoded, in syllables, each frame with its own level."""

from __future__ import annotations

import array
import asyncio
import contextlib
import functools
import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiortc.codecs.opus import SAMPLE_RATE, SAMPLES_PER_FRAME, OpusEncoder
from av import AudioFrame

from bench.page.people import Member

FRAME = SAMPLES_PER_FRAME / SAMPLE_RATE
#: A voice says the same again after so many seconds.
PERIOD = 8.0
#: Of a syllable, seconds: what sounds, and the pause after it.
SOUND, PAUSE = 0.35, 0.15
#: Between two checks of the path, frames: 4 s, as browsers do.
CONSENT = 200


@dataclass(frozen=True)
class Spoken:
    """One frame of 20 ms: Opus, and how loud it is, -dBov (RFC 6464)."""

    payload: bytes
    level: int


@functools.cache
def voice(hertz: float) -> list[Spoken]:
    """What somebody says over and over, with a voice of `hertz`."""
    encoder = OpusEncoder()
    said: list[Spoken] = []
    for number in range(round(PERIOD / FRAME)):
        samples = array.array("h", (_sample(hertz, number * FRAME + at / SAMPLE_RATE) for at in range(960)))
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES_PER_FRAME)
        frame.sample_rate = SAMPLE_RATE
        frame.pts = number * SAMPLES_PER_FRAME
        frame.planes[0].update(samples.tobytes())
        said += (Spoken(payload, _level(samples)) for payload in encoder.encode(frame)[0])
    return said


def _sample(hertz: float, at: float) -> int:
    """Syllables that swell and die away, no two neighbours equally loud."""
    syllable, within = divmod(at, SOUND + PAUSE)
    if within >= SOUND:
        return 0
    loudness = (2000 + 9000 * (syllable * 0.618 % 1)) * math.sin(math.pi * within / SOUND)
    return int(loudness * math.sin(2 * math.pi * hertz * at))


def _level(samples: array.array[int]) -> int:
    power = sum(sample * sample for sample in samples) / len(samples)
    return min(127, round(-10 * math.log10(power / 32768**2 + 1e-13)))


@contextlib.asynccontextmanager
async def speaking(members: Sequence[Member]) -> AsyncIterator[None]:
    """They come into voice, hear nobody, and speak all at once, without end, for as long as this lasts.

    What they say is made before the first of them comes, and each speaks from then on: to make it takes some
    seconds, on a machine with much to do many, and the worker gives up who sends nothing for fifteen.
    """
    said = [await asyncio.to_thread(voice, 140 + 35 * number) for number in range(len(members))]
    async with asyncio.TaskGroup() as group:  # a voice that is lost ends all of it
        talks: list[asyncio.Task[None]] = []
        for number, member in enumerate(members):
            await member.speak_up(slots=0)
            talks.append(group.create_task(_talk(member, said[number], number)))
        yield
        for talk in talks:
            talk.cancel()


async def _talk(member: Member, said: list[Spoken], phase: int) -> None:
    clock = asyncio.get_running_loop().time
    client = member.voice
    began = clock() + phase * FRAME / 10
    turn = phase * len(said) // 10
    while True:
        for _ in range(CONSENT):
            frame = said[turn % len(said)]
            client.send(frame.payload, level=frame.level)
            turn += 1
            began += FRAME
            await asyncio.sleep(max(0.0, began - clock()))
        client.check()
        client.receive()
        member.must_still_be_heard()
