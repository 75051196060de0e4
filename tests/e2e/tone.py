"""What a fake microphone hears."""

from __future__ import annotations

import array
import math
import wave
from pathlib import Path

RATE = 48_000
# Syllables rather than one long tone: a browser's noise suppression takes what never changes for noise.
SOUND_S = 0.5
FADE_S = 0.01


def write_tone(path: Path, hertz: float, pause: float = 0.06, seconds: float = 20) -> Path:
    """A WAV file of a sine of `hertz` in syllables with a `pause` (s) between; a browser repeats it."""
    period = SOUND_S + pause
    samples = array.array("h")
    for number in range(int(seconds / period) * int(period * RATE)):
        at = number / RATE
        within = at % period
        loudness = max(0.0, min(1.0, within / FADE_S, (SOUND_S - within) / FADE_S))
        samples.append(int(9000 * loudness * math.sin(2 * math.pi * hertz * at)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return path
