"""The voices of a room as this replica knows them: which connection each belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field

from common.errors import Conflict, CwrkError, NotFound
from rooms.core.effects import AttachVoice, CloseVoice, Effect, Negotiate, Send
from rooms.frames.incoming import Offer, VoiceAttach
from rooms.frames.outgoing import error
from rooms.frames.voice import Answer, Quality, Slot, Slots, VoiceLost


@dataclass(slots=True)
class Voice:
    """A voice on the worker; `conn_id` is None while no connection of ours has it."""

    user_id: int
    conn_id: str | None


@dataclass(slots=True)
class Asking:
    """A call to the worker on the way, and what its event stream said meanwhile of voices not yet known."""

    user_id: int
    conn_id: str | None
    slots: dict[str, tuple[Slot, ...]] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)


class Voices:
    """Values in, effects out, as Room, whose part it is."""

    def __init__(self) -> None:
        self._voices: dict[str, Voice] = {}
        self._asking: dict[str, Asking] = {}  # by connection

    def offer(
        self, conn_id: str, ref_id: str | None, user_id: int, offer: Offer, muted: bool
    ) -> list[Effect]:
        """One call a connection at a time: a second offer before the answer is refused."""
        if refusal := self._ask(conn_id, ref_id, user_id):
            return [refusal]
        return [Negotiate(conn_id, ref_id, user_id, muted, offer.sdp)]

    def attach(
        self, conn_id: str, ref_id: str | None, user_id: int, attach: VoiceAttach, muted: bool
    ) -> list[Effect]:
        if refusal := self._ask(conn_id, ref_id, user_id):
            return [refusal]
        return [AttachVoice(conn_id, ref_id, user_id, muted, attach.voice_id)]

    def _ask(self, conn_id: str, ref_id: str | None, user_id: int) -> Send | None:
        if conn_id in self._asking:
            busy = Conflict("The last offer is not answered yet.", code="NEGOTIATION_PENDING")
            return Send(conn_id, error(busy, ref_id), ref_id)
        self._asking[conn_id] = Asking(user_id, conn_id)
        return None

    def negotiated(self, conn_id: str, ref_id: str | None, answer: Answer) -> list[Effect]:
        return self._got(conn_id, answer.voice_id, [Send(conn_id, answer, ref_id)])

    def attached(
        self, conn_id: str, ref_id: str | None, voice_id: str, slots: tuple[Slot, ...]
    ) -> list[Effect]:
        return self._got(conn_id, voice_id, [Send(conn_id, Slots(voice_id, slots), ref_id)])

    def refused(
        self, conn_id: str, ref_id: str | None, problem: CwrkError, voice_id: str = ""
    ) -> list[Effect]:
        """The worker could not; `voice_id` where it was to be adopted."""
        if self._asking.pop(conn_id, None) is None:
            return []
        if voice_id and isinstance(problem, NotFound):
            self._voices.pop(voice_id, None)
            return [Send(conn_id, VoiceLost(voice_id, "not_found"), ref_id)]
        return [Send(conn_id, error(problem, ref_id), ref_id)]

    def _got(self, conn_id: str, voice_id: str, effects: list[Effect]) -> list[Effect]:
        asking = self._asking.pop(conn_id, None)
        if asking is None:  # forgotten meanwhile: whoever asked has left
            return []
        if reason := asking.lost.get(voice_id):
            return [*effects, Send(conn_id, VoiceLost(voice_id, reason))]
        self._voices[voice_id] = Voice(asking.user_id, asking.conn_id)
        if slots := asking.slots.get(voice_id):
            effects.append(Send(conn_id, Slots(voice_id, slots)))
        return effects

    def slots(self, user_id: int, voice_id: str, slots: tuple[Slot, ...]) -> list[Effect]:
        """The worker's event. It may overtake the answer that names the voice."""
        if voice := self._voices.get(voice_id):
            return [Send(voice.conn_id, Slots(voice_id, slots))] if voice.conn_id else []
        for asking in self._asked_by(user_id):
            asking.slots[voice_id] = slots
        return []

    def quality(self, voice_id: str, quality: Quality) -> list[Effect]:
        """The worker's event; the next one says as much, so one that nobody can be told is let go."""
        voice = self._voices.get(voice_id)
        return [Send(voice.conn_id, quality)] if voice and voice.conn_id else []

    def lost(self, user_id: int, voice_id: str, reason: str) -> list[Effect]:
        """The worker's event. A connection that replaced its own voice is not told: it knows."""
        voice = self._voices.pop(voice_id, None)
        if voice is None:
            for asking in self._asked_by(user_id):
                asking.lost[voice_id] = reason
            return []
        if voice.conn_id is None or (reason == "taken_over" and self._replaced_by_itself(voice.conn_id)):
            return []
        return [Send(voice.conn_id, VoiceLost(voice_id, reason))]

    def all_lost(self, reason: str) -> list[Effect]:
        """The worker is gone, with every voice."""
        told: list[Effect] = [
            Send(voice.conn_id, VoiceLost(voice_id, reason))
            for voice_id, voice in self._voices.items()
            if voice.conn_id
        ]
        self._voices.clear()
        return told

    def disconnected(self, conn_id: str) -> None:
        """The voice runs on: a websocket that comes back adopts it."""
        for voice in self._voices.values():
            if voice.conn_id == conn_id:
                voice.conn_id = None
        if asking := self._asking.get(conn_id):
            asking.conn_id = None

    def cut(self, conn_id: str, user_id: int) -> list[Effect]:
        """The connection may no longer speak or listen: the voice that it has is closed."""
        its_own = any(voice.conn_id == conn_id for voice in self._voices.values())
        return self.ended(user_id) if its_own or conn_id in self._asking else []

    def ended(self, user_id: int) -> list[Effect]:
        """The participant is gone for good. A voice from before we started is not known here: close any."""
        for voice_id in [v for v, voice in self._voices.items() if voice.user_id == user_id]:
            del self._voices[voice_id]
        for conn_id in [c for c, asking in self._asking.items() if asking.user_id == user_id]:
            del self._asking[conn_id]
        return [CloseVoice(user_id)]

    def _replaced_by_itself(self, conn_id: str) -> bool:
        return conn_id in self._asking or any(v.conn_id == conn_id for v in self._voices.values())

    def _asked_by(self, user_id: int) -> list[Asking]:
        return [asking for asking in self._asking.values() if asking.user_id == user_id]
