"""One room as this replica sees it: values in, effects out.

    room = Room("0198…", "1", 41, settings, timer)
    effects = room.connect("c1", member, 1000.0, hello)
    effects = room.receive("c1", Frame(Chat("hello")), 1001.0)

The contract: each method is synchronous, and its effects run, in their order,
before the next call. Room knows no socket, no clock and no database: the time is
an argument (unix seconds), and what takes time is an effect whose result comes
back as another call. Results for connections that are gone meanwhile do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from common.errors import CwrkError, Forbidden, TooMany
from rooms import effects as do
from rooms.effects import Effect
from rooms.events import Changed, Event, Timed
from rooms.feed import Feed
from rooms.frames import Frame
from rooms.incoming import (
    Act,
    Chat,
    ChatDelete,
    ChatEdit,
    ChatReaction,
    Mute,
    Offer,
    Ping,
    Read,
    Resume,
    VoiceAttach,
)
from rooms.outgoing import (
    Answer,
    Hello,
    ParticipantUpdated,
    PeerJoined,
    PeerLeft,
    Pong,
    RoomView,
    ServerMessage,
    Slot,
    Speaker,
    Speakers,
    State,
    TimerView,
    error,
)
from rooms.participant import Member, Participant, Snapshot
from rooms.voices import Voices

GRACE_SECONDS = 8.0  # a lost connection may come back this long before the others hear of it
SEAT_SECONDS = 30.0  # and this long before the seat and the voice are given up
MOST_CONNECTIONS = 8  # tabs and devices of one participant

LEFT = (4003, "LEFT")
SESSION_ENDED = (4001, "SESSION_ENDED")
ROOM_DELETED = (4004, "ROOM_DELETED")

Handler = Callable[[str, str | None, Any], list[Effect]]


class Room:
    """See the module. `members` are those present on other replicas when it opens.

    The log (`feed`) and the voices (`voices`) are parts of it, under the same contract.
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
        self._participants = {member.user_id: Participant(member) for member in members}
        self._connections: dict[str, int] = {}  # whose each is
        self._speakers: tuple[Speaker, ...] = ()
        self._handlers: dict[type, Handler] = {
            Chat: self._on_act,
            ChatDelete: self._on_act,
            ChatEdit: self._on_act,
            ChatReaction: self._on_act,
            Mute: self._on_mute,
            Offer: self._on_offer,
            Ping: self._on_ping,
            Read: self._on_read,
            Resume: self.feed.resume,
            VoiceAttach: self._on_attach,
        }

    @property
    def idle(self) -> bool:
        """Nobody of this replica is in it, nor was a moment ago."""
        return not any(p.connections or p.lost_at is not None for p in self._participants.values())

    def here(self) -> dict[int, Snapshot]:
        """Who has a connection to this replica, and how they stand."""
        return {u: p.snapshot() for u, p in self._participants.items() if p.connections}

    # --- coming and going -------------------------------------------------------------------------------

    def connect(
        self, conn_id: str, member: Member, now: float, hello: Hello, resume: Resume | None = None
    ) -> list[Effect]:
        """A websocket of `member`, admitted. Raises TooMany past MOST_CONNECTIONS of one participant."""
        known = self._participants.get(member.user_id)
        if known and len(known.connections) >= MOST_CONNECTIONS:
            raise TooMany("Too many connections of one person to this room.", code="TOO_MANY_CONNECTIONS")
        effects: list[Effect] = []
        if known and known.connections and known.member.visit != member.visit:
            effects += self.leave(member.user_id)  # of an earlier stay, ended on another replica
            known = None
        if known is None or not known.present:
            participant = self._participants[member.user_id] = known or Participant(member)
            participant.member, participant.present = replace(member, last_seen=now), True
            effects += self._came(participant)
        else:
            participant = known
            participant.member = replace(
                member,
                joined_at=known.member.joined_at,
                muted_by=member.muted_by if known.mute_kept else known.member.muted_by,
                last_seen=now,
            )
        participant.lost_at, participant.dropped = None, False
        participant.connections.add(conn_id)
        self._connections[conn_id] = member.user_id
        self.feed.connect(conn_id)
        everybody = tuple(p.view() for p in self._participants.values() if p.present)
        effects.append(do.Send(conn_id, replace(hello, last_seq=self.feed.delivered_seq)))
        effects.append(do.Send(conn_id, State(self.room_id, everybody, self.settings, self.timer)))
        if self._speakers:
            effects.append(do.Send(conn_id, Speakers(self._speakers)))
        return effects + (self.feed.resume(conn_id, None, resume) if resume else [])

    def disconnect(self, conn_id: str, now: float) -> list[Effect]:
        """A websocket is gone, for whatever reason."""
        user_id = self._connections.pop(conn_id, None)
        if user_id is None:
            return []
        self.feed.disconnect(conn_id)
        self.voices.disconnected(conn_id)
        participant = self._participants[user_id]
        participant.connections.discard(conn_id)
        if participant.connections:
            return []
        participant.lost_at = now
        participant.member = replace(participant.member, last_seen=now)
        return [do.HoldSeat(user_id), do.Wake(now + GRACE_SECONDS), do.Wake(now + SEAT_SECONDS)]

    def session_ended(self, conn_id: str) -> list[Effect]:
        """A connection's session is over. The participant stays, who may have others."""
        user_id = self._connections.get(conn_id)
        if user_id is None:
            return []
        return [*self.voices.cut(conn_id, user_id), do.Disconnect(conn_id, *SESSION_ENDED)]

    def tick(self, now: float) -> list[Effect]:
        """Those who did not come back: gone for the others after the grace, and for good after the seat."""
        effects: list[Effect] = []
        for user_id, participant in list(self._participants.items()):
            if participant.lost_at is None:
                continue
            away = now - participant.lost_at
            if away >= GRACE_SECONDS and not participant.dropped:
                participant.dropped = True
                effects.append(do.DropPresence(user_id))
                if not participant.member.elsewhere:
                    effects += self._went(participant)
            if away >= SEAT_SECONDS:
                participant.lost_at = None
                if not participant.member.elsewhere:
                    effects += self.voices.ended(user_id)
                    del self._participants[user_id]
        return effects

    def leave(self, user_id: int, closing: tuple[int, str] = LEFT) -> list[Effect]:
        """The participant left: at once, with every connection."""
        participant = self._participants.pop(user_id, None)
        if participant is None:
            return []
        effects: list[Effect] = []
        for conn_id in sorted(participant.connections):
            del self._connections[conn_id]
            self.feed.disconnect(conn_id)
            effects.append(do.Disconnect(conn_id, *closing))
        effects += self.voices.ended(user_id)
        return effects + (self._went(participant) if participant.present else [])

    def deleted(self) -> list[Effect]:
        """The room is no more: everybody goes, and with them their voices."""
        effects: list[Effect] = [do.Disconnect(conn_id, *ROOM_DELETED) for conn_id in self._connections]
        for user_id, participant in self._participants.items():
            if participant.connections or participant.lost_at is not None:
                effects += self.voices.ended(user_id)
        for conn_id in self._connections:
            self.feed.disconnect(conn_id)
        self._connections.clear()
        self._participants.clear()
        return effects

    def roster(self, members: Iterable[Member], as_of: Mapping[int, Snapshot]) -> list[Effect]:
        """The tables: those present on other replicas, and those of `as_of`, who were here when it was read.

        What other replicas did shows as the same events that we would have sent. Who
        changed here since it was read is left alone: that is the next reading's.
        """
        found = {member.user_id: member for member in members}
        effects: list[Effect] = []
        for user_id, participant in list(self._participants.items()):
            member = found.get(user_id)
            if participant.connections:
                if as_of.get(user_id) != participant.snapshot():
                    found.pop(user_id, None)
                elif member is None or member.visit != participant.member.visit:
                    effects += self.leave(user_id)
            elif participant.lost_at is None and (member is None or not member.elsewhere):
                del self._participants[user_id]
                effects += self._went(participant) if participant.present else []
        for member in found.values():
            effects += self._refresh(member)
        return effects

    def _refresh(self, member: Member) -> list[Effect]:
        known = self._participants.get(member.user_id)
        if known is None or not known.present:
            if not member.elsewhere:
                return []
            participant = self._participants[member.user_id] = known or Participant(member)
            participant.member, participant.present = member, True
            return self._came(participant)
        before, was_muted = known.view(), known.muted
        believed = known.mute_kept or member.muted_by == "moderator"
        known.member = replace(
            member,
            joined_at=known.member.joined_at,
            last_seen=known.member.last_seen,
            muted_by=member.muted_by if believed else known.member.muted_by,
        )
        if known.view() == before:
            return []
        effects = self._broadcast(self._update(known))
        if known.connections and known.muted != was_muted:
            effects += self._mute_voice(known)
        return effects

    def _came(self, participant: Participant) -> list[Effect]:
        view = participant.view()
        return self._broadcast(PeerJoined(self.room_id, view.user_id, view.display_name, view))

    def _went(self, participant: Participant) -> list[Effect]:
        participant.present = False
        return self._broadcast(PeerLeft(self.room_id, str(participant.member.user_id)))

    # --- what clients send ------------------------------------------------------------------------------

    def receive(self, conn_id: str, frame: Frame, now: float) -> list[Effect]:
        """A decoded frame of a connection. `ice` and what is not for rooms changes nothing."""
        handler = self._handlers.get(type(frame.message))
        if handler is None or conn_id not in self._connections:
            return []
        return handler(conn_id, frame.ref_id, frame.message)

    def _on_ping(self, conn_id: str, ref_id: str | None, ping: Ping) -> list[Effect]:
        return [do.Send(conn_id, Pong(self.feed.delivered_seq), ref_id)]

    def _on_act(self, conn_id: str, ref_id: str | None, act: Act) -> list[Effect]:
        user_id = self._connections[conn_id]
        return [do.Persist(do.Draft(conn_id, ref_id, user_id, act))]

    def _on_read(self, conn_id: str, ref_id: str | None, read: Read) -> list[Effect]:
        return [do.SaveRead(self._connections[conn_id], min(read.seq, self.feed.delivered_seq))]

    def _on_mute(self, conn_id: str, ref_id: str | None, mute: Mute) -> list[Effect]:
        """In force at once, here and at the worker; kept in the tables beside that."""
        participant = self._of(conn_id)
        if participant.member.muted_by == "moderator" and not mute.muted:
            refusal = Forbidden("A moderator has muted you.", code="MUTED_BY_MODERATOR")
            return [do.Send(conn_id, error(refusal, ref_id), ref_id)]
        if participant.muted == mute.muted and participant.mute_kept:
            return [do.Send(conn_id, self._update(participant), ref_id)]
        participant.member = replace(participant.member, muted_by="self" if mute.muted else "")
        participant.mute_changes += 1
        participant.mute_kept = False
        user_id = participant.member.user_id
        return [
            *self._mute_voice(participant),
            *self._broadcast(self._update(participant)),
            do.SaveMute(conn_id, ref_id, user_id, mute.muted, participant.mute_changes),
        ]

    def mute_saved(self, asked: do.SaveMute, problem: CwrkError | None) -> list[Effect]:
        """The tables know of a mute, or could not be told; it is in force all the same."""
        if problem is not None:
            return [do.Send(asked.conn_id, error(problem, asked.ref_id), asked.ref_id)]
        participant = self._participants.get(asked.user_id)
        if participant and participant.mute_changes == asked.change:
            participant.mute_changes += 1
            participant.mute_kept = True
        return []

    # --- what happened ----------------------------------------------------------------------------------

    def _happened(self, event: Event) -> list[Effect]:
        """An event of the log, delivered just now: in the order of the log, each once, on every replica."""
        match event.body:
            case Changed(settings):
                self.settings = settings
            case Timed(timer):
                self.timer = timer
        return []

    # --- voice ------------------------------------------------------------------------------------------

    def _on_offer(self, conn_id: str, ref_id: str | None, offer: Offer) -> list[Effect]:
        participant = self._of(conn_id)
        return self.voices.offer(conn_id, ref_id, participant.member.user_id, offer, participant.muted)

    def _on_attach(self, conn_id: str, ref_id: str | None, attach: VoiceAttach) -> list[Effect]:
        participant = self._of(conn_id)
        return self.voices.attach(conn_id, ref_id, participant.member.user_id, attach, participant.muted)

    def negotiated(self, asked: do.Negotiate, answer: Answer) -> list[Effect]:
        """The worker answered an offer."""
        return self._mute_since(asked) + self.voices.negotiated(asked.conn_id, asked.ref_id, answer)

    def attached(self, asked: do.AttachVoice, slots: tuple[Slot, ...]) -> list[Effect]:
        """The worker still has the voice."""
        known = self.voices.attached(asked.conn_id, asked.ref_id, asked.voice_id, slots)
        return self._mute_since(asked) + known

    def _mute_since(self, asked: do.Negotiate | do.AttachVoice) -> list[Effect]:
        """What the worker was told with the offer may be old by now."""
        participant = self._participants.get(asked.user_id)
        return self._mute_voice(participant) if participant and participant.muted != asked.muted else []

    def _mute_voice(self, participant: Participant) -> list[Effect]:
        """Whether or not a voice is known here: it may be another tab's, on another replica."""
        return [do.MuteVoice(participant.member.user_id, participant.muted)]

    def speakers(self, speakers: tuple[Speaker, ...]) -> list[Effect]:
        """The worker's event: who speaks. Kept for those who come while nothing changes."""
        self._speakers = speakers
        return self._broadcast(Speakers(speakers))

    def worker_lost(self) -> list[Effect]:
        """The worker is gone, and with it every voice."""
        silence = self.speakers(()) if self._speakers else []
        return self.voices.all_lost("worker_lost") + silence

    # --- small things -----------------------------------------------------------------------------------

    def _of(self, conn_id: str) -> Participant:
        return self._participants[self._connections[conn_id]]

    def _broadcast(self, message: ServerMessage) -> list[Effect]:
        return [do.Broadcast(tuple(self._connections), message)] if self._connections else []

    def _update(self, participant: Participant) -> ParticipantUpdated:
        view = participant.view()
        return ParticipantUpdated(self.room_id, view.user_id, view)
