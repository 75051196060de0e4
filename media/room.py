"""A room as the Worker keeps it: its voices, who hears whom, and who speaks.

The rules are the Router's and the Selection's, which are pure; here their effects reach the packet loop and
the event stream.
"""

from __future__ import annotations

from media.events import Events, SlotsEvent, SpeakersEvent
from media.packet_loop import PacketLoop
from media.router import Connect, Disconnect, Effect, Router, SetMuted, SlotsChanged
from media.selection import Selection
from media.speakers import Speakers
from media.voice import Voice


class Room:
    """`voices` are those the Router knows, one a participant. `arriving` has the next voice of a
    participant who is in `voices` still: it takes over when its handshake is through."""

    def __init__(self, room_id: str, loop: PacketLoop, events: Events) -> None:
        self.id = room_id
        self.router = Router()
        self.voices: dict[str, Voice] = {}
        self.arriving: dict[str, Voice] = {}
        self._loop = loop
        self._events = events
        self._speakers = Speakers()
        self._selection = Selection()

    def perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Connect(producer, listener, mid, catch_up):
                    source, to = self.voices[producer].number, self.voices[listener].number
                    self._loop.add_route(source, to, mid, catch_up=catch_up)
                case Disconnect(listener, mid):
                    self._loop.drop_route(self.voices[listener].number, mid)
                case SetMuted(producer, muted):
                    self._loop.set_muted(self.voices[producer].number, muted)
                    self._selection.quiet(producer)
                    if muted:
                        self._speakers.forget(producer)
                case SlotsChanged(listener, slots):
                    self._events.emit(SlotsEvent(self.id, listener, self.voices[listener].id, slots))

    def leave(self, user_id: str) -> None:
        """The participant's voice is gone."""
        self.perform(self.router.leave(user_id))
        self._speakers.forget(user_id)
        self._selection.remove(user_id)
        del self.voices[user_id]

    def begins(self, user_id: str, now: float) -> None:
        """The participant begins to speak."""
        if self._selection.begins(user_id, now):
            self._promote(user_id, now)

    def listen(self, levels: dict[str, int], now: float) -> None:
        """Takes the loudest level of each voice of the last interval."""
        for user_id in self._selection.update(levels, now):
            self._promote(user_id, now)
        speakers = self._speakers.update(levels, self._selection.dominant)
        if speakers is not None:
            self._events.emit(SpeakersEvent(self.id, speakers))

    def _promote(self, user_id: str, now: float) -> None:
        if self.router.crowded:
            self.perform(self.router.promote(user_id, self._selection.giving_way(user_id, now)))
