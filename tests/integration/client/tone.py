"""A voice that can be told from others: a tone, and what ears make of what comes."""

from __future__ import annotations

import array
import asyncio
from itertools import pairwise

from client.voice import Voice

RATE = 48_000
FIRST, LEAST = RATE // 5, RATE * 2 // 5
PATIENCE = 20.0


async def pitch(voice: Voice, user_id: str) -> float:
    """Of what is heard of somebody, in Hz, by zero crossings over 400 ms, after 200 ms without silence."""
    heard: array.array[int] = array.array("h")
    async with asyncio.timeout(PATIENCE):
        async for who, frame in voice.heard():
            if who != user_id:
                continue
            channels = len(frame.layout.channels)
            samples = array.array("h", bytes(frame.planes[0])[: 2 * channels * frame.samples])[::channels]
            if max(map(abs, samples)) < 1000:
                heard = array.array("h")  # not yet, or a hole
                continue
            heard.extend(samples)
            if len(heard) >= FIRST + LEAST:
                break
    assert heard, f"the voice has ended: {voice.ended}"
    heard = heard[FIRST:]
    crossings = sum((before < 0) != (after < 0) for before, after in pairwise(heard))
    return crossings / 2 * RATE / len(heard)
