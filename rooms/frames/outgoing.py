"""What we send: one frozen dataclass a message, one union of them all.

Every frame is text: {"type": …, "payload": {…}}, with the "id" of the frame it
answers and, on the events of the log, "seq". The fields of a dataclass below
are the keys of its payload, in the wire's own names and units: `*_unix` are
whole unix seconds, `*_ms` milliseconds, user ids and message ids strings.
rooms/frames/codec.py writes them, rooms/frames/asyncapi.py describes them to others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeAlias

from common.errors import CwrkError
from rooms.frames.fields import (
    LEFT_OUT_WHEN_NONE,
    Action,
    Code,
    Count,
    MessageId,
    Ms,
    Role,
    RoomId,
    Seconds,
    Seq,
    Unix,
    UnixMs,
    UserId,
    words,
)
from rooms.frames.voice import Answer, Quality, Slots, Speakers, VoiceLost


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server accepts."""

    frame_bytes: Count
    chat_code_points: Count
    chat_per_second: Count
    chat_burst: Count


@dataclass(frozen=True, slots=True)
class Hello:
    """The first frame. `last_seq` is where the log stands: live events are those after it.

    `ice_servers` has the form of RTCConfiguration.iceServers.
    """

    type: ClassVar = "hello"
    conn_id: str
    epoch: str
    last_seq: Seq
    heartbeat_ms: Ms
    limits: Limits
    ice_servers: tuple[Mapping[str, Any], ...]
    server_time_ms: UnixMs


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who is in the room now. `muted_by` is "self", "moderator" or "".

    `may_speak`: neither their role nor the room keeps them from it. When the room becomes
    listen_only, or no more, `room_updated` alone says so: owner and moderators may speak
    always, listeners never, members unless it is. Hands are in the order of `hand_raised_at`.
    """

    user_id: UserId
    display_name: str
    role: Role
    joined_at_unix: Unix
    last_seen_unix: Unix
    muted: bool
    muted_by: Annotated[str, words(enum=["self", "moderator", ""])]
    hand_raised_at: UnixMs | None = None
    may_speak: bool = True


@dataclass(frozen=True, slots=True)
class RoomView:
    """The room itself. `slow_mode_s`: seconds between two messages of one member; 0: none.

    `locked`: nobody new may join. `listen_only`: only owner and moderators may speak.
    """

    name: str
    topic: str
    visibility: Annotated[str, words(enum=["public", "unlisted", "private"])]
    max_participants: Count
    owner_id: UserId
    locked: bool
    slow_mode_s: Seconds
    listen_only: bool


@dataclass(frozen=True, slots=True)
class TimerView:
    """The shared study timer. The phase is arithmetic: `focus_s`, then `break_s`, over and over.

    Running: the first cycle began at `started_at_ms` (unix, pauses taken out). Paused:
    `elapsed_ms` of the cycles have passed. `state`: "stopped", "running", "paused".
    """

    state: Annotated[str, words(enum=["stopped", "running", "paused"])]
    focus_s: Seconds
    break_s: Seconds
    started_at_ms: UnixMs
    elapsed_ms: Ms


@dataclass(frozen=True, slots=True)
class State:
    """The second frame: who is here, the receiver too; the room and its timer."""

    type: ClassVar = "state"
    room_id: RoomId
    participants: tuple[Present, ...]
    room: RoomView
    timer: TimerView


@dataclass(frozen=True, slots=True)
class PeerJoined:
    """Somebody came; not sent to the one who came. `participant` is what `state` would say of them."""

    type: ClassVar = "peer_joined"
    room_id: RoomId
    user_id: UserId
    display_name: str
    participant: Present


@dataclass(frozen=True, slots=True)
class PeerLeft:
    """Somebody left, or was lost for 8 s."""

    type: ClassVar = "peer_left"
    room_id: RoomId
    user_id: UserId


@dataclass(frozen=True, slots=True)
class ParticipantUpdated:
    """Somebody's mute, role, hand or name changed; sent to everybody, that person too."""

    type: ClassVar = "participant_updated"
    room_id: RoomId
    user_id: UserId
    participant: Present


@dataclass(frozen=True, slots=True)
class ChatSaid:
    """A message, saved; with top-level `seq`, one more than the last."""

    type: ClassVar = "chat"
    room_id: RoomId
    user_id: UserId
    message: str
    msg_id: MessageId
    ts_unix: Unix
    display_name: str
    client_msg_id: str | None
    reply_to: MessageId | None
    edited_at_unix: Unix | None = None  # replayed after an edit: this is the newer text
    deleted: bool = False  # replayed after a deletion: no text


@dataclass(frozen=True, slots=True)
class ChatEdited:
    """A message has another text; with top-level `seq`. Replayed, it has the newest."""

    type: ClassVar = "chat_edited"
    room_id: RoomId
    user_id: UserId
    msg_id: MessageId
    message: str
    ts_unix: Unix


@dataclass(frozen=True, slots=True)
class ChatDeleted:
    """A message is gone, and its text with it; with top-level `seq`. `user_id`: who did it."""

    type: ClassVar = "chat_deleted"
    room_id: RoomId
    user_id: UserId
    msg_id: MessageId
    ts_unix: Unix


@dataclass(frozen=True, slots=True)
class ChatReacted:
    """Somebody put an emoji under a message, or took it away; with top-level `seq`."""

    type: ClassVar = "chat_reaction"
    room_id: RoomId
    user_id: UserId
    msg_id: MessageId
    emoji: str
    added: bool
    ts_unix: Unix


@dataclass(frozen=True, slots=True)
class Moderated:
    """`by` did `action` to `user_id` (see Moderate); with top-level `seq`.

    `role` of the action "role" (also "owner", when the room changed hands);
    `until_unix` of a ban that ends by itself.
    """

    type: ClassVar = "moderated"
    room_id: RoomId
    user_id: UserId
    by: UserId
    action: Action
    role: Role | None
    until_unix: Unix | None
    ts_unix: Unix


@dataclass(frozen=True, slots=True)
class RoomUpdated:
    """The room's own settings, all of them, after `user_id` changed some; with top-level `seq`."""

    type: ClassVar = "room_updated"
    room_id: RoomId
    user_id: UserId
    room: RoomView
    ts_unix: Unix


@dataclass(frozen=True, slots=True)
class TimerChanged:
    """The study timer, after `user_id` started, paused or stopped it; with top-level `seq`."""

    type: ClassVar = "timer"
    room_id: RoomId
    user_id: UserId
    timer: TimerView
    ts_unix: Unix


@dataclass(frozen=True, slots=True)
class Ack:
    """To the sender of chat_edit, chat_delete, chat_reaction or moderate: saved under `seq`.

    `duplicate`: it had been before.
    """

    type: ClassVar = "ack"
    seq: Seq
    client_msg_id: str | None = None
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class PeerTyping:
    """Somebody else writes, or has stopped. Forget it 5 s after the last."""

    type: ClassVar = "typing"
    room_id: RoomId
    user_id: UserId
    display_name: str
    typing: bool


@dataclass(frozen=True, slots=True)
class Reacted:
    """Somebody's emoji, to be shown for a moment; the sender gets it too."""

    type: ClassVar = "reaction"
    room_id: RoomId
    user_id: UserId
    emoji: str


@dataclass(frozen=True, slots=True)
class ChatAck:
    """To the sender: saved. `duplicate`: it had been before, and this is that message."""

    type: ClassVar = "chat_ack"
    msg_id: MessageId
    client_msg_id: str | None
    seq: Seq
    ts_unix: Unix
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Resumed:
    """The end of a replay: (from_seq, to_seq] was sent. Not recovered: fetch the history instead."""

    type: ClassVar = "resumed"
    recovered: bool
    from_seq: Seq
    to_seq: Seq


@dataclass(frozen=True, slots=True)
class AuthOk:
    """A newer token was taken."""

    type: ClassVar = "auth_ok"
    expires_at_unix: Unix


@dataclass(frozen=True, slots=True)
class Pong:
    """`last_seq` is what this connection should have seen."""

    type: ClassVar = "pong"
    last_seq: Seq


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The server goes away: connect again, spread over `within_ms`."""

    type: ClassVar = "reconnect"
    within_ms: Ms


@dataclass(frozen=True, slots=True)
class Error:
    """A frame failed; the connection stays. `ref_id` is that frame's id, else a chat's client_msg_id."""

    type: ClassVar = "error"
    code: Code
    message: str
    ref_id: str | None
    retryable: bool
    retry_after_ms: Annotated[Ms | None, LEFT_OUT_WHEN_NONE] = None


# Of the log: with a seq, in order, once.
LogMessage: TypeAlias = (
    ChatDeleted | ChatEdited | ChatReacted | ChatSaid | Moderated | RoomUpdated | TimerChanged
)

ServerMessage: TypeAlias = (
    Ack
    | Answer
    | AuthOk
    | ChatAck
    | Error
    | Hello
    | LogMessage
    | ParticipantUpdated
    | PeerJoined
    | PeerLeft
    | PeerTyping
    | Pong
    | Quality
    | Reacted
    | Reconnect
    | Resumed
    | Slots
    | Speakers
    | State
    | VoiceLost
)


def error(problem: CwrkError, ref_id: str | None) -> Error:
    """The frame that tells a client of `problem`."""
    after = None if problem.retry_after is None else int(problem.retry_after * 1000)
    return Error(problem.code, problem.message, ref_id, problem.retryable, after)
