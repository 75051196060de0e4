"""One room as this replica sees it: values in, effects out.

    room = Room("0198…", "1", 41, settings, timer)
    effects = room.connect("c1", member, 1000.0, hello)
    effects = room.receive("c1", Frame(Chat("hello")), 1001.0)

The contract: each method is synchronous, and its effects run, in their order,
before the next call. Room knows no socket, no clock and no database: the time is
an argument (unix seconds; for who is lost those of a clock that never steps back),
and what takes time is an effect whose result comes back as another call. Results
for connections that are gone meanwhile do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from common.errors import CwrkError
from rooms.core import effects as do
from rooms.core.effects import Effect
from rooms.core.events import Changed, Event, Ruled, Timed
from rooms.core.feed import Feed
from rooms.core.gestures import Gestures
from rooms.core.participant import Member
from rooms.core.participants import Participants
from rooms.core.voices import Voices
from rooms.frames.codec import Frame
from rooms.frames.incoming import (
    Act,
    Chat,
    ChatDelete,
    ChatEdit,
    ChatReaction,
    Hand,
    Moderate,
    Mute,
    Offer,
    Ping,
    Reaction,
    Read,
    Resume,
    Typing,
    VoiceAttach,
)
from rooms.frames.outgoing import Ack, Hello, Pong, RoomView, State, TimerView, error
from rooms.frames.voice import Answer, Slot, Speaker, Speakers

SESSION_ENDED = (4001, "SESSION_ENDED")

Handler = Callable[[str, str | None, Any, float], list[Effect]]


class Room:
    """See the module. `members` are those present on other replicas when it opens.

    The log (`feed`), the voices (`voices`) and who is here (`participants`) are parts of
    it, under the same contract.
    """

    def __init__(
        self,
        room_id: str,
        epoch: str,
        delivered_seq: int,
        settings: RoomView,
        timer: TimerView,
        members: Iterable[Member] = (),
    ) -> None:
        self.room_id = room_id
        self.settings = settings
        self.timer = timer
        self.feed = Feed(room_id, epoch, delivered_seq, self._happened)
        self.voices = Voices()
        self.participants = Participants(
            room_id, self.feed, self.voices, members, listen_only=settings.listen_only
        )
        self.gestures = Gestures(room_id, self.participants.connections)
        self._speakers: tuple[Speaker, ...] = ()
        self._handlers: dict[type, Handler] = {
            Chat: self._on_act,
            ChatDelete: self._on_act,
            ChatEdit: self._on_act,
            ChatReaction: self._on_act,
            Hand: self.participants.hand,
            Moderate: self._on_moderate,
            Mute: self.participants.mute,
            Offer: self._on_offer,
            Ping: self._on_ping,
            Reaction: self._on_gesture,
            Read: self._on_read,
            Resume: self._on_resume,
            Typing: self._on_gesture,
            VoiceAttach: self._on_attach,
        }

    @property
    def idle(self) -> bool:
        """Nobody of this replica is in it, nor was a moment ago."""
        return self.participants.idle

    # --- coming and going -------------------------------------------------------------------------------

    def connect(
        self, conn_id: str, member: Member, now: float, hello: Hello, resume: Resume | None = None
    ) -> list[Effect]:
        """A websocket of `member`, admitted. Raises TooMany as `participants` does."""
        effects = self.participants.connect(conn_id, member, now)
        self.feed.connect(conn_id)
        effects.append(
            do.Send(conn_id, replace(hello, epoch=self.feed.epoch, last_seq=self.feed.delivered_seq))
        )
        effects.append(do.Send(conn_id, self._state()))
        if self._speakers:
            effects.append(do.Send(conn_id, Speakers(self._speakers)))
        return effects + (self.feed.resume(conn_id, None, resume) if resume else [])

    def _state(self) -> State:
        return State(self.room_id, self.participants.present(), self.settings, self.timer)

    def session_ended(self, conn_id: str) -> list[Effect]:
        """A connection's session is over. The participant stays, who may have others."""
        user_id = self.participants.user_of(conn_id)
        if user_id is None:
            return []
        return [*self.voices.cut(conn_id, user_id), do.Disconnect(conn_id, *SESSION_ENDED)]

    # --- what clients send ------------------------------------------------------------------------------

    def receive(self, conn_id: str, frame: Frame, now: float) -> list[Effect]:
        """A decoded frame of a connection. `ice` and what is not for rooms changes nothing."""
        handler = self._handlers.get(type(frame.message))
        if handler is None or self.participants.user_of(conn_id) is None:
            return []
        return handler(conn_id, frame.ref_id, frame.message, now)

    def _on_ping(self, conn_id: str, ref_id: str | None, ping: Ping, now: float) -> list[Effect]:
        return [do.Send(conn_id, Pong(self.feed.delivered_seq), ref_id)]

    def _on_act(self, conn_id: str, ref_id: str | None, act: Act, now: float) -> list[Effect]:
        return [do.Persist(do.Draft(conn_id, ref_id, self._user_of(conn_id), act))]

    def _on_gesture(
        self, conn_id: str, ref_id: str | None, made: Typing | Reaction, now: float
    ) -> list[Effect]:
        member = self.participants.of(conn_id).member
        return self.gestures.made(member.user_id, member.display_name, made, now)

    def _on_read(self, conn_id: str, ref_id: str | None, read: Read, now: float) -> list[Effect]:
        return [do.SaveRead(self._user_of(conn_id), min(read.seq, self.feed.delivered_seq))]

    def _on_resume(self, conn_id: str, ref_id: str | None, resume: Resume, now: float) -> list[Effect]:
        return self.feed.resume(conn_id, ref_id, resume)

    def _on_moderate(self, conn_id: str, ref_id: str | None, act: Moderate, now: float) -> list[Effect]:
        """Whether they may, the tables say; what follows, the log."""
        return [do.Rule(conn_id, ref_id, self._user_of(conn_id), act)]

    def ruled(self, asked: do.Rule, outcome: do.Ruling | CwrkError) -> list[Effect]:
        """To the moderator who asked: saved, or why not."""
        if isinstance(outcome, CwrkError):
            return [do.Send(asked.conn_id, error(outcome, asked.ref_id), asked.ref_id)]
        return [do.Send(asked.conn_id, Ack(outcome.seq, duplicate=outcome.already), asked.ref_id)]

    def _user_of(self, conn_id: str) -> int:
        return self.participants.of(conn_id).member.user_id

    # --- what happened ----------------------------------------------------------------------------------

    def _happened(self, event: Event) -> list[Effect]:
        """An event of the log, delivered just now: in the order of the log, each once, on every replica."""
        effects: list[Effect] = []
        match event.body:
            case Changed(settings):
                self.settings = settings
                effects = self.participants.listens_only(settings.listen_only)
            case Ruled() as ruling:
                effects = self.participants.ruled(event.seq, ruling)
            case Timed(timer):
                self.timer = timer
        return effects + self.participants.told(event.seq)

    # --- voice ------------------------------------------------------------------------------------------

    def _on_offer(self, conn_id: str, ref_id: str | None, offer: Offer, now: float) -> list[Effect]:
        user_id = self._user_of(conn_id)
        return self.voices.offer(conn_id, ref_id, user_id, offer, self.participants.silenced(user_id))

    def _on_attach(self, conn_id: str, ref_id: str | None, attach: VoiceAttach, now: float) -> list[Effect]:
        user_id = self._user_of(conn_id)
        return self.voices.attach(conn_id, ref_id, user_id, attach, self.participants.silenced(user_id))

    def negotiated(self, asked: do.Negotiate, answer: Answer) -> list[Effect]:
        """The worker answered an offer."""
        return self._mute_since(asked) + self.voices.negotiated(asked.conn_id, asked.ref_id, answer)

    def attached(self, asked: do.AttachVoice, slots: tuple[Slot, ...]) -> list[Effect]:
        """The worker still has the voice."""
        known = self.voices.attached(asked.conn_id, asked.ref_id, asked.voice_id, slots)
        return self._mute_since(asked) + known

    def _mute_since(self, asked: do.Negotiate | do.AttachVoice) -> list[Effect]:
        """What the worker was told with the offer may be old by now."""
        silenced = self.participants.silenced(asked.user_id)
        return [do.MuteVoice(asked.user_id, silenced)] if silenced != asked.muted else []

    def speakers(self, speakers: tuple[Speaker, ...]) -> list[Effect]:
        """The worker's event: who speaks. Kept for those who come while nothing changes."""
        self._speakers = speakers
        return self.participants.broadcast(Speakers(speakers))

    def worker_lost(self) -> list[Effect]:
        """The worker is gone, and with it every voice."""
        silence = self.speakers(()) if self._speakers else []
        return self.voices.all_lost("worker_lost") + silence
