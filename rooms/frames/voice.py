"""What we send of voices: the answer, who is heard where, who speaks, how well, and the end of one.

A part of rooms/frames/outgoing.py, which says how a dataclass becomes a frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from rooms.frames.fields import Ms, UserId, words


@dataclass(frozen=True, slots=True)
class Slot:
    """Whose voice the listener's own m-line `mid` carries; None: nobody's."""

    mid: str
    user_id: UserId | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The SDP answer; `voice_id` names this voice from now on."""

    type: ClassVar = "answer"
    sdp: str = field(repr=False)
    voice_id: str = ""
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Slots:
    """All slots of the receiver's voice `voice_id`, whenever one changes."""

    type: ClassVar = "slots"
    voice_id: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Speaker:
    """`level`: 0 silent to 127 loudest."""

    user_id: UserId
    level: Annotated[int, words(minimum=0, maximum=127)]


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who speaks: who has the floor first, then the loudest."""

    type: ClassVar = "speakers"
    speakers: tuple[Speaker, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """How the receiver's own voice does, every 5 s while packets flow; the worse of both directions.

    `rtt_ms`: None when not known; `loss`: 0 to 1; `mos`: what ears would say, 1 bad, 4.4 as good as it gets.
    """

    type: ClassVar = "quality"
    rtt_ms: Ms | None
    loss: Annotated[float, words(minimum=0, maximum=1)]
    jitter_ms: Ms
    mos: Annotated[float, words(minimum=1, maximum=4.5)]


@dataclass(frozen=True, slots=True)
class VoiceLost:
    """This voice is gone. Offer again, unless the reason is "taken_over".

    Other reasons: "timeout", "failed", "worker_lost", "not_found".
    """

    type: ClassVar = "voice_lost"
    voice_id: str
    reason: Annotated[str, words(enum=["taken_over", "timeout", "failed", "worker_lost", "not_found"])]
