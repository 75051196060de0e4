"""Who is worth a slot in a room with more voices than slots, and who has the floor.

Levels are as the protocol shows them, 0 silent … 127 loudest, and they are the clients' own word. So no
level counts for more than LOUDEST; a voice that is loud without ever pausing becomes its own silence (a fan,
music, a client that claims to shout all the time); and however loud, a voice is one slot, and takes it from
nobody who is speaking unless it is much louder for about a second. Pure; time is an argument.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from media.speakers import SPEAKS

#: Who spoke so lately keeps the slot against one who just begins, seconds.
HOLD: Final = 2.0
#: Who has been silent for so long no longer has the floor, seconds.
FLOOR_HOLD: Final = 1.0
#: So much louder, in dB, is much louder.
MARGIN: Final = 12
LOUDEST: Final = 107  # -20 dBov
#: Speech is so far above a voice's own silence, dB …
ABOVE: Final = 10
#: … which rises by so much at each update: what is loud for 45 s without a pause is silence.
_RISE: Final = 0.3
#: How much of a step the loudness follows at each update: most of it after a second.
_FOLLOW: Final = 0.25


@dataclass(slots=True)
class _Voice:
    spoke_at: float = -math.inf
    loudness: float = 0.0
    silence: float = 0.0


class Selection:
    """The voices of one room."""

    def __init__(self) -> None:
        self._voices: dict[str, _Voice] = {}
        #: Who has the floor: steadier than who is loudest right now.
        self.dominant: str | None = None

    def update(self, heard: dict[str, int], now: float) -> list[str]:
        """Takes the loudest level of each voice since the last update, and returns who speaks."""
        speaking = []
        for user_id in heard.keys() - self._voices.keys():
            self._voices[user_id] = _Voice()
        for user_id, voice in self._voices.items():
            level = min(heard.get(user_id, 0), LOUDEST)
            if not level:  # as nearly everybody in a large room
                voice.silence = 0.0
                voice.loudness -= voice.loudness * _FOLLOW
                continue
            voice.silence = min(level, voice.silence + _RISE)
            speaks = level >= SPEAKS and level >= voice.silence + ABOVE
            voice.loudness += ((level if speaks else 0) - voice.loudness) * _FOLLOW
            if speaks:
                voice.spoke_at = now
                speaking.append(user_id)
        self._elect(now)
        return speaking

    def begins(self, user_id: str, now: float) -> bool:
        """A voice begins to speak, some packets ago; whether it counts."""
        voice = self._voices.setdefault(user_id, _Voice())
        if voice.silence + ABOVE > LOUDEST:
            return False
        voice.spoke_at = now
        return True

    def giving_way(self, user_id: str, now: float) -> list[str]:
        """Who gives its slot to this voice when asked, the first one first: who has been silent for longest,
        and then who is much quieter."""
        others = dict(self._voices)
        challenger = others.pop(user_id, None)
        loudness = 0.0 if challenger is None else challenger.loudness
        silent = [other for other, voice in others.items() if now - voice.spoke_at >= HOLD]
        quiet = [
            other
            for other, voice in others.items()
            if now - voice.spoke_at < HOLD and voice.loudness + MARGIN <= loudness
        ]
        silent.sort(key=lambda other: self._voices[other].spoke_at)
        quiet.sort(key=lambda other: self._voices[other].loudness)
        return silent + quiet

    def quiet(self, user_id: str) -> None:
        """A voice that says nothing now: it is new, or muted."""
        voice = self._voices.setdefault(user_id, _Voice())
        voice.spoke_at = -math.inf
        voice.loudness = 0.0

    def remove(self, user_id: str) -> None:
        self._voices.pop(user_id, None)
        if self.dominant == user_id:
            self.dominant = None

    def _elect(self, now: float) -> None:
        if not self._voices:
            return
        loudest, best = max(self._voices.items(), key=lambda each: each[1].loudness)
        current = None if self.dominant is None else self._voices.get(self.dominant)
        if current is None or now - current.spoke_at >= FLOOR_HOLD:
            self.dominant = loudest if now - best.spoke_at < FLOOR_HOLD else None
        elif best.loudness >= current.loudness + MARGIN:
            self.dominant = loudest
