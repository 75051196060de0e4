"""What the fields of our frames are, beyond their Python types: the words are JSON Schema's.

They stand in the annotations of outgoing.py; what clients send has its own, beside its limits, in
incoming.py. asyncapi.py publishes them.
"""

from __future__ import annotations

from typing import Annotated, Any


def words(**said: Any) -> tuple[tuple[str, Any], ...]:
    """For an annotation, which wants something that can be hashed."""
    return tuple((word, tuple(value) if isinstance(value, list) else value) for word, value in said.items())


# In an annotation: the field is left out when it is None, not null.
LEFT_OUT_WHEN_NONE = "left out when none"

MessageId = Annotated[str, words(format="uuid")]
RoomId = Annotated[str, words(format="uuid")]
UserId = Annotated[str, words(pattern="^[1-9][0-9]*$")]
Role = Annotated[str, words(enum=["owner", "moderator", "member", "listener"])]
Action = Annotated[str, words(enum=["mute", "unmute", "kick", "ban", "unban", "role"])]
Code = Annotated[str, words(pattern="^[A-Z][A-Z0-9_]*$")]

Count = Annotated[int, words(minimum=0)]
Seq = Annotated[int, words(minimum=0, description="A place in the room's log; 0: before its first event")]
Unix = Annotated[int, words(minimum=0, description="Unix seconds")]
UnixMs = Annotated[int, words(minimum=0, description="Unix milliseconds")]
Ms = Annotated[int, words(minimum=0, description="Milliseconds")]
Seconds = Annotated[int, words(minimum=0, description="Seconds")]
