"""One participant, as Room keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field

from rooms.core.rights import may_speak
from rooms.frames.outgoing import Present


@dataclass(frozen=True, slots=True)
class Member:
    """A participant as the tables have them. `visit` names this stay: leaving ends it for good.

    `seq` is where the log stood when the tables said this: what it tells up to there is in it.
    """

    user_id: int
    display_name: str
    role: str
    muted_by: str  # "self", "moderator", or "" when not muted
    joined_at: float
    last_seen: float
    visit: int
    elsewhere: bool = False  # connected to another replica
    self_muted: bool = False  # under a moderator's mute: their own, that holds again when it is lifted
    hand_raised_at: int | None = None  # unix milliseconds
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How a participant stood when the tables were asked: an answer older than that is not used."""

    visit: int
    changes: int


@dataclass(slots=True)
class Participant:
    """A member who is here, or was a moment ago. Several connections are one participant."""

    member: Member
    present: bool = True
    connections: set[str] = field(default_factory=set)
    lost_at: float | None = None  # when the last connection here went, by the clock of `tick`
    dropped: bool = False  # the grace is over: the tables are told that nobody is connected here
    changes: int = 0  # of what they change themselves: mute, hand, name
    mutes: int = 0
    mute_kept: bool = True  # the tables know of our mute; until then they are not believed about it

    @property
    def here(self) -> bool:
        """Connected to this replica, or expected back at it: their voice is ours to tell the worker of."""
        return bool(self.connections) or self.lost_at is not None

    @property
    def muted(self) -> bool:
        return bool(self.member.muted_by)

    def silenced(self, listen_only: bool) -> bool:
        """Whether their packets are dropped: muted, or not allowed to speak."""
        return self.muted or not may_speak(self.member.role, listen_only)

    def snapshot(self) -> Snapshot:
        return Snapshot(self.member.visit, self.changes)

    def view(self, listen_only: bool) -> Present:
        member = self.member
        return Present(
            user_id=str(member.user_id),
            display_name=member.display_name,
            role=member.role,
            joined_at_unix=int(member.joined_at),
            last_seen_unix=int(member.last_seen),
            muted=self.muted,
            muted_by=member.muted_by,
            hand_raised_at=member.hand_raised_at,
            may_speak=may_speak(member.role, listen_only),
        )
