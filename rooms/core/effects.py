"""What a Room wants done: values, performed by the hub alone, in their order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from common.errors import CwrkError
from rooms.core.events import Event
from rooms.frames.incoming import Act, Moderate
from rooms.frames.outgoing import Ack, ChatAck, PeerTyping, Reacted, ServerMessage


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants written into the log, and whom to tell."""

    conn_id: str
    ref_id: str | None
    user_id: int
    act: Act


@dataclass(frozen=True, slots=True)
class Saved:
    """A draft that is in the log: since now, as `event`, or (None) since before. `ack` is for its sender."""

    draft: Draft
    ack: Ack | ChatAck
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What became of what a moderator did: saved under `seq`, or `already` so, with the end of the log."""

    seq: int
    already: bool = False


Outcome: TypeAlias = Saved | tuple[Draft, CwrkError]


# --- to connections: done at once -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    """One frame to one connection."""

    conn_id: str
    message: ServerMessage
    ref_id: str | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One frame to these connections, encoded once."""

    conn_ids: tuple[str, ...]
    message: ServerMessage
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close a connection after what was sent to it before."""

    conn_id: str
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class PassOn:
    """Show a gesture on the other replicas too, if they hear of it."""

    gesture: PeerTyping | Reacted


# --- to the log: the result comes back as an input ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Persist:
    """Save a draft; comes back to the feed as `saved` or `not_saved`."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class ReadLog:
    """Read the log after `after`; comes back to the feed as `log_read`."""

    after: int


@dataclass(frozen=True, slots=True)
class Replay:
    """Read a page of the log in (after, upto] once the connection has taken what it was sent.

    Comes back to the feed as `replayed`. `from_seq` is where the whole replay began.
    """

    conn_id: str
    ref_id: str | None
    from_seq: int
    after: int
    upto: int


# --- to the tables --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SaveMute:
    """Remember a participant's own mute; comes back as `mute_saved`. `change` counts their mutes."""

    conn_id: str
    ref_id: str | None
    user_id: int
    muted: bool
    change: int


@dataclass(frozen=True, slots=True)
class SaveHand:
    """Remember a participant's hand, up since (unix ms), or down; comes back as `hand_saved`."""

    conn_id: str
    ref_id: str | None
    user_id: int
    raised_at: int | None


@dataclass(frozen=True, slots=True)
class SaveName:
    """Remember the name of a newer token; comes back as `renamed`."""

    user_id: int
    display_name: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Somebody moderates: if they may, the log will tell. Comes back as `ruled`."""

    conn_id: str
    ref_id: str | None
    user_id: int
    act: Moderate


@dataclass(frozen=True, slots=True)
class SaveRead:
    """Move a participant's read marker to `seq`, never back; of many soon after one another the farthest."""

    user_id: int
    seq: int


@dataclass(frozen=True, slots=True)
class HoldSeat:
    """The participant's last connection here is gone: the seat's last lease begins."""

    user_id: int


@dataclass(frozen=True, slots=True)
class DropPresence:
    """The participant is no longer present here."""

    user_id: int


# --- to the media worker --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Negotiate:
    """Answer an offer; comes back as `negotiated`, or to the voices as `refused`."""

    conn_id: str
    ref_id: str | None
    user_id: int
    muted: bool
    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AttachVoice:
    """Adopt a voice; comes back as `attached`, or to the voices as `refused`."""

    conn_id: str
    ref_id: str | None
    user_id: int
    muted: bool
    voice_id: str


@dataclass(frozen=True, slots=True)
class MuteVoice:
    """Tell the worker; nothing comes back, since each negotiation says it again.

    None: what was not told yet no longer holds, and what does is for another replica to say.
    """

    user_id: int
    muted: bool | None


@dataclass(frozen=True, slots=True)
class CloseVoice:
    """End a participant's voice, whichever it is."""

    user_id: int


# --- to the clock ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wake:
    """Call `tick` at this time, or later: of the clock that never steps back."""

    at: float


Effect: TypeAlias = (
    AttachVoice
    | Broadcast
    | CloseVoice
    | Disconnect
    | DropPresence
    | HoldSeat
    | MuteVoice
    | Negotiate
    | PassOn
    | Persist
    | ReadLog
    | Replay
    | Rule
    | SaveHand
    | SaveMute
    | SaveName
    | SaveRead
    | Send
    | Wake
)
