"""What is shown now and never again: that somebody writes, an emoji that flies by. Values in, effects out.

Nothing of it is kept or answered, and what is too much is left out without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from rooms.core import effects as do
from rooms.core.effects import Effect
from rooms.core.limits import Bucket
from rooms.frames.incoming import Reaction, Typing
from rooms.frames.outgoing import PeerTyping, Reacted

TYPING_PER_SECOND = 1  # of a person
REACTIONS_PER_SECOND = 5
MOST_PACES = 1000  # past it all are forgotten: somebody may show one more

Gesture: TypeAlias = PeerTyping | Reacted


class Gestures:
    """A part of Room, under its contract. `connections`: whose each is, of those to this replica."""

    def __init__(self, room_id: str, connections: Mapping[str, int]) -> None:
        self._room_id = room_id
        self._connections = connections
        self._paces: dict[tuple[int, type], Bucket] = {}

    def made(self, user_id: int, name: str, message: Typing | Reaction, now: float) -> list[Effect]:
        """Somebody here made one: for everybody here and elsewhere."""
        rate = TYPING_PER_SECOND if isinstance(message, Typing) else REACTIONS_PER_SECOND
        if len(self._paces) > MOST_PACES:
            self._paces.clear()
        pace = self._paces.setdefault((user_id, type(message)), Bucket(rate, rate, rate, now))
        if pace.wait(now):
            return []
        gesture: Gesture
        if isinstance(message, Typing):
            gesture = PeerTyping(self._room_id, str(user_id), name, message.typing)
        else:
            gesture = Reacted(self._room_id, str(user_id), message.emoji)
        return [*self.show(gesture), do.PassOn(gesture)]

    def show(self, gesture: Gesture) -> list[Effect]:
        """To everybody here; that somebody writes only to the others."""
        shown = tuple(
            conn_id
            for conn_id, user_id in self._connections.items()
            if not isinstance(gesture, PeerTyping) or str(user_id) != gesture.user_id
        )
        return [do.Broadcast(shown, gesture)] if shown else []
