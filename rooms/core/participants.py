"""Who is in a room: those connected here, those on other replicas, and how each stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from common.errors import CwrkError, Forbidden, TooMany
from rooms.core import effects as do
from rooms.core.effects import Effect
from rooms.core.events import Body, Changed, Ruled
from rooms.core.feed import Feed
from rooms.core.participant import Member, Participant, Snapshot
from rooms.core.rights import LISTENER, OWNER
from rooms.core.voices import Voices
from rooms.frames.incoming import Hand, Mute
from rooms.frames.outgoing import ParticipantUpdated, PeerJoined, PeerLeft, Present, ServerMessage, error

GRACE_SECONDS = 8.0  # a lost connection may come back this long before the others hear of it
SEAT_SECONDS = 30.0  # and this long before the seat and the voice are given up
MOST_CONNECTIONS = 8  # tabs and devices of one participant

LEFT = (4003, "LEFT")
KICKED = (4003, "KICKED")
BANNED = (4003, "BANNED")
ROOM_DELETED = (4004, "ROOM_DELETED")


@dataclass(frozen=True, slots=True)
class Roster:
    """The tables: those present on other replicas, and those of `as_of`, who were here when it was read.

    `seq` is where the log stood at that moment.
    """

    members: tuple[Member, ...]
    as_of: Mapping[int, Snapshot]
    seq: int


class Participants:
    """Values in, effects out, as Room, whose part it is.

    What changes people comes three ways: from themselves, from the log (moderation),
    and from the tables, which have all of it. A roster from before the last ruling is
    old news and is let go, since the tables have changed again; one that knows more
    than the log has told waits for the log. So everybody hears in one order.
    """

    def __init__(
        self,
        room_id: str,
        feed: Feed,
        voices: Voices,
        members: Iterable[Member],
        *,
        listen_only: bool,
    ) -> None:
        self.listen_only = listen_only
        self.ruled_seq = feed.delivered_seq  # who was admitted before this is to be asked for again
        self._room_id = room_id
        self._feed = feed
        self._voices = voices
        self._told_seq = feed.delivered_seq
        self._waiting: Roster | None = None
        self._all = {member.user_id: Participant(member) for member in members}
        self._connections: dict[str, int] = {}  # whose each is

    @property
    def idle(self) -> bool:
        """Nobody of this replica is here, nor was a moment ago."""
        return not any(participant.here for participant in self._all.values())

    def here(self) -> dict[int, Snapshot]:
        """Who has a connection to this replica, and how they stand."""
        return {u: p.snapshot() for u, p in self._all.items() if p.connections}

    def present(self) -> tuple[Present, ...]:
        """Everybody, on every replica."""
        return tuple(p.view(self.listen_only) for p in self._all.values() if p.present)

    @property
    def connections(self) -> Mapping[str, int]:
        """Whose each is, of those to this replica: as it is at any time."""
        return self._connections

    def user_of(self, conn_id: str) -> int | None:
        """Whose connection it is; None for one that is gone."""
        return self._connections.get(conn_id)

    def of(self, conn_id: str) -> Participant:
        return self._all[self._connections[conn_id]]

    def find(self, user_id: int) -> Participant | None:
        return self._all.get(user_id)

    def silenced(self, user_id: int) -> bool:
        """What the worker is to be told: their packets are dropped. So are those of nobody we know."""
        participant = self._all.get(user_id)
        return participant is None or participant.silenced(self.listen_only)

    def broadcast(self, message: ServerMessage) -> list[Effect]:
        """To every connection here."""
        return [do.Broadcast(tuple(self._connections), message)] if self._connections else []

    # --- coming and going -------------------------------------------------------------------------------

    def connect(self, conn_id: str, member: Member, now: float) -> list[Effect]:
        """A websocket of `member`. Raises TooMany past MOST_CONNECTIONS of one participant."""
        known = self._all.get(member.user_id)
        if known and len(known.connections) >= MOST_CONNECTIONS:
            raise TooMany("Too many connections of one person to this room.", code="TOO_MANY_CONNECTIONS")
        effects: list[Effect] = []
        if known and known.connections and known.member.visit != member.visit:
            effects += self.leave(member.user_id)  # of an earlier stay, ended on another replica
            known = None
        if known is None or not known.present:
            participant = self._all[member.user_id] = known or Participant(member)
            participant.member, participant.present = replace(member, last_seen=now), True
            effects += self._came(participant)
        else:
            participant = known
            effects += self._stands(participant, member)
            participant.member = replace(participant.member, last_seen=now)
        participant.lost_at, participant.dropped = None, False
        participant.connections.add(conn_id)
        self._connections[conn_id] = member.user_id
        return effects

    def disconnect(self, conn_id: str, now: float, tick: float) -> list[Effect]:
        """A websocket is gone, for whatever reason: `now` by the clock, `tick` by that of `tick`."""
        user_id = self._connections.pop(conn_id, None)
        if user_id is None:
            return []
        self._feed.disconnect(conn_id)
        self._voices.disconnected(conn_id)
        participant = self._all[user_id]
        participant.connections.discard(conn_id)
        if participant.connections:
            return []
        participant.lost_at = tick
        participant.member = replace(participant.member, last_seen=now)
        return [do.HoldSeat(user_id), do.Wake(tick + GRACE_SECONDS), do.Wake(tick + SEAT_SECONDS)]

    def tick(self, now: float) -> list[Effect]:
        """Those who did not come back: gone for the others after the grace, and for good after the seat.

        `now` is of a clock that never steps back.
        """
        effects: list[Effect] = []
        for user_id, participant in list(self._all.items()):
            if participant.lost_at is None:
                continue
            if now >= participant.lost_at + GRACE_SECONDS and not participant.dropped:
                participant.dropped = True
                effects.append(do.DropPresence(user_id))
                if not participant.member.elsewhere:
                    effects += self._went(participant)
            if now >= participant.lost_at + SEAT_SECONDS:
                participant.lost_at = None
                if not participant.member.elsewhere:
                    effects += self._voices.ended(user_id)
                    del self._all[user_id]
        return effects

    def leave(self, user_id: int, closing: tuple[int, str] = LEFT) -> list[Effect]:
        """The participant left: at once, with every connection, and with a voice that runs without one."""
        participant = self._all.pop(user_id, None)
        if participant is None:
            return self._voices.ended(user_id)
        effects: list[Effect] = []
        for conn_id in sorted(participant.connections):
            del self._connections[conn_id]
            self._feed.disconnect(conn_id)
            effects.append(do.Disconnect(conn_id, *closing))
        effects += self._voices.ended(user_id)
        return effects + (self._went(participant) if participant.present else [])

    def room_deleted(self) -> list[Effect]:
        """Everybody goes, and nobody is left to hear of it."""
        effects: list[Effect] = []
        for participant in self._all.values():
            participant.present = False
        for user_id in list(self._all):
            effects += self.leave(user_id, ROOM_DELETED)
        return effects

    def _came(self, participant: Participant) -> list[Effect]:
        view = participant.view(self.listen_only)
        return self.broadcast(PeerJoined(self._room_id, view.user_id, view.display_name, view))

    def _went(self, participant: Participant) -> list[Effect]:
        participant.present = False
        return self.broadcast(PeerLeft(self._room_id, str(participant.member.user_id)))

    # --- what the tables say ----------------------------------------------------------------------------

    def read(self, roster: Roster) -> list[Effect]:
        """What other replicas did shows as the same events that we would have sent.

        Who changed here since it was read is left alone: that is the next reading's.
        """
        if roster.seq < self.ruled_seq:
            return []
        if roster.seq > self._told_seq:
            self._waiting = roster
            return []
        self._waiting = None
        found = {member.user_id: member for member in roster.members}
        effects: list[Effect] = []
        for user_id, participant in list(self._all.items()):
            member = found.get(user_id)
            if participant.connections:
                if roster.as_of.get(user_id) != participant.snapshot():
                    found.pop(user_id, None)
                elif member is None or member.visit != participant.member.visit:
                    effects += self.leave(user_id)
            elif participant.lost_at is None and (member is None or not member.elsewhere):
                del self._all[user_id]
                effects += self._went(participant) if participant.present else []
        for member in found.values():
            effects += self._refresh(member)
        return effects

    def _refresh(self, member: Member) -> list[Effect]:
        known = self._all.get(member.user_id)
        if known is not None and known.present:
            return self._stands(known, member)
        if not member.elsewhere:
            return []
        participant = self._all[member.user_id] = known or Participant(member)
        participant.member, participant.present = member, True
        return self._came(participant)

    def _stands(self, participant: Participant, member: Member) -> list[Effect]:
        """The tables' word on somebody who is present: believed, but for a mute they do not know yet."""
        known = participant.member
        if not participant.mute_kept:
            member = with_mutes(
                member, by_moderator=member.muted_by == "moderator", by_self=muted_self(known)
            )
        return self._become(
            participant, replace(member, joined_at=known.joined_at, last_seen=known.last_seen)
        )

    def _become(self, participant: Participant, member: Member) -> list[Effect]:
        """The worker hears of it, if they are here; then everybody, if it shows."""
        before, was_silenced = participant.view(self.listen_only), participant.silenced(self.listen_only)
        participant.member = member
        effects: list[Effect] = []
        if participant.here and participant.silenced(self.listen_only) != was_silenced:
            effects += self.mute_voice(participant)
        if participant.present and participant.view(self.listen_only) != before:
            effects += self.broadcast(self._update(participant))
        return effects

    def mute_voice(self, participant: Participant) -> list[Effect]:
        """Whether or not a voice is known here: it may be another tab's, or run without a websocket.

        Of those elsewhere, whose replica may have died, only that they are silent: that one alone knows
        their own mute.
        """
        silenced = participant.silenced(self.listen_only)
        return [do.MuteVoice(participant.member.user_id, silenced if participant.here else silenced or None)]

    def _update(self, participant: Participant) -> ParticipantUpdated:
        view = participant.view(self.listen_only)
        return ParticipantUpdated(self._room_id, view.user_id, view)

    # --- what the log says ------------------------------------------------------------------------------

    def told(self, seq: int) -> list[Effect]:
        """The log was delivered up to `seq`, with all that follows from it."""
        self._told_seq = seq
        waiting = self._waiting
        return self.read(waiting) if waiting is not None and waiting.seq <= seq else []

    def ruled(self, seq: int, ruling: Ruled) -> list[Effect]:
        """A moderator's action, delivered. Who came after it is not meant."""
        self.ruled_seq = seq
        participant = self._all.get(ruling.user_id)
        if participant is None:
            return at_worker(ruling)
        member = participant.member
        if member.seq >= seq:
            return []
        match ruling.action:
            case "kick":
                return self.leave(ruling.user_id, KICKED)
            case "ban":
                return self.leave(ruling.user_id, BANNED)
            case "mute":
                member = with_mutes(member, by_moderator=True, by_self=muted_self(member))
            case "unmute":
                member = with_mutes(member, by_moderator=False, by_self=muted_self(member))
            case "role" if ruling.role is not None:
                member = replace(member, role=ruling.role)
                if ruling.role == OWNER:  # whom nobody could unmute
                    member = with_mutes(member, by_moderator=False, by_self=muted_self(member))
        effects = self._become(participant, member)
        return effects if participant.here else self.mute_voice(participant) + effects

    def listens_only(self, listen_only: bool) -> list[Effect]:
        """The room's setting: everybody hears by `room_updated`, the worker of each whom it changes."""
        silent = {u: p.silenced(self.listen_only) for u, p in self._all.items()}
        self.listen_only = listen_only
        effects: list[Effect] = []
        for user_id, participant in self._all.items():
            if participant.silenced(listen_only) != silent[user_id]:
                effects += self.mute_voice(participant)
        return effects

    # --- what they do themselves ------------------------------------------------------------------------

    def mute(self, conn_id: str, ref_id: str | None, mute: Mute, now: float) -> list[Effect]:
        """In force at once, here and at the worker; kept in the tables beside that."""
        participant = self.of(conn_id)
        member = participant.member
        by_moderator = member.muted_by == "moderator"
        if by_moderator and not mute.muted:
            refusal = Forbidden("A moderator has muted you.", code="MUTED_BY_MODERATOR")
            return [do.Send(conn_id, error(refusal, ref_id), ref_id)]
        if muted_self(member) == mute.muted and participant.mute_kept:
            return [do.Send(conn_id, self._update(participant), ref_id)]
        effects = self._become(participant, with_mutes(member, by_moderator=by_moderator, by_self=mute.muted))
        if by_moderator:  # nothing to see, for when the moderator's is lifted
            effects.append(do.Send(conn_id, self._update(participant), ref_id))
        participant.changes += 1
        participant.mutes += 1
        participant.mute_kept = False
        return [*effects, do.SaveMute(conn_id, ref_id, member.user_id, mute.muted, participant.mutes)]

    def mute_saved(self, asked: do.SaveMute, problem: CwrkError | None) -> list[Effect]:
        """The tables know of a mute, or could not be told; it is in force all the same."""
        if problem is not None:
            return [do.Send(asked.conn_id, error(problem, asked.ref_id), asked.ref_id)]
        participant = self._all.get(asked.user_id)
        if participant and participant.mutes == asked.change:
            participant.changes += 1
            participant.mute_kept = True
        return []

    def hand(self, conn_id: str, ref_id: str | None, hand: Hand, now: float) -> list[Effect]:
        """Kept first, then shown: hands are in the order of their time on every replica."""
        participant = self.of(conn_id)
        if hand.raised == (participant.member.hand_raised_at is not None):
            return [do.Send(conn_id, self._update(participant), ref_id)]
        raised_at = int(now * 1000) if hand.raised else None
        return [do.SaveHand(conn_id, ref_id, participant.member.user_id, raised_at)]

    def hand_saved(self, asked: do.SaveHand, problem: CwrkError | None) -> list[Effect]:
        if problem is not None:
            return [do.Send(asked.conn_id, error(problem, asked.ref_id), asked.ref_id)]
        participant = self._all.get(asked.user_id)
        return self._changed(participant, hand_raised_at=asked.raised_at) if participant else []

    def renew(self, user_id: int, display_name: str) -> list[Effect]:
        """A newer token, perhaps with another name: kept first, then shown."""
        participant = self._all.get(user_id)
        if participant is None or participant.member.display_name == display_name:
            return []
        return [do.SaveName(user_id, display_name)]

    def renamed(self, saved: do.SaveName) -> list[Effect]:
        """The tables know of a name."""
        participant = self._all.get(saved.user_id)
        return self._changed(participant, display_name=saved.display_name) if participant else []

    def _changed(self, participant: Participant, **fields: Any) -> list[Effect]:
        participant.changes += 1
        return self._become(participant, replace(participant.member, **fields))


def muted_self(member: Member) -> bool:
    """Also under a moderator's mute."""
    return member.muted_by == "self" or member.self_muted


def with_mutes(member: Member, *, by_moderator: bool, by_self: bool) -> Member:
    """The moderator's is what shows; one's own holds again when that is lifted."""
    muted_by = "moderator" if by_moderator else "self" if by_self else ""
    return replace(member, muted_by=muted_by, self_muted=by_moderator and by_self)


def at_worker(ruling: Body) -> list[Effect]:
    """What the worker is told where nobody knows the person: a voice may run without a websocket."""
    if not isinstance(ruling, Ruled):
        return []
    if ruling.action in ("kick", "ban"):
        return [do.CloseVoice(ruling.user_id)]
    if ruling.action == "mute" or ruling.role == LISTENER:
        return [do.MuteVoice(ruling.user_id, True)]
    return []


def may_silence(body: Body) -> bool:
    """Whether there may be more people now who may not speak, by their role or the room's setting."""
    return isinstance(body, Changed) or (isinstance(body, Ruled) and body.action == "role")
