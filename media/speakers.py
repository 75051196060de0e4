"""Who speaks in a room, from the audio levels of the packets (RFC 6464). Pure; time is an argument.

A level here is as the protocol shows it, 0 silent … 127 loudest. A speaker is one whose smoothed level
rose above SPEAKS, until it falls below STOPS: between words nobody flickers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: At most five times a second.
INTERVAL: Final = 0.2
SPEAKS: Final = 77  # -50 dBov
STOPS: Final = 67  # -60 dBov
#: How far a smoothed level falls at most in an interval: a voice of -30 dBov stays about 0.5 s.
FALL: Final = 12
#: Levels are told in steps of this, so that a steady voice is no change.
STEP: Final = 8


@dataclass(frozen=True, slots=True)
class Speaker:
    user_id: str
    level: int


class Speakers:
    """The speakers of one room."""

    def __init__(self) -> None:
        self._levels: dict[str, int] = {}
        self._speaking: set[str] = set()
        self._told: tuple[Speaker, ...] = ()

    def update(self, heard: dict[str, int], first: str | None = None) -> tuple[Speaker, ...] | None:
        """Takes the loudest level of each voice of the last INTERVAL, and returns who speaks now, `first`
        first and then the loudest; None when that is what it returned last."""
        for user_id in self._levels.keys() | heard.keys():
            level = max(heard.get(user_id, 0), self._levels.get(user_id, 0) - FALL)
            if level >= SPEAKS:
                self._speaking.add(user_id)
            elif level < STOPS:
                self._speaking.discard(user_id)
            self._levels[user_id] = level
        self._levels = {user_id: level for user_id, level in self._levels.items() if level > 0}
        told = tuple(
            sorted(
                (Speaker(user_id, self._levels[user_id] // STEP * STEP) for user_id in self._speaking),
                key=lambda speaker: (speaker.user_id != first, -speaker.level, speaker.user_id),
            )
        )
        if told == self._told:
            return None
        self._told = told
        return told

    def forget(self, user_id: str) -> None:
        """The voice is gone or muted: it is no speaker at the next update."""
        self._levels.pop(user_id, None)
        self._speaking.discard(user_id)
