"""The websocket's messages: one frozen dataclass a message, one union a direction.

Every frame is text: {"type": …, "payload": {…}}, with an optional top-level
"id" (chosen by the client, echoed in the answer or the error) and, on durable
events, "seq". The fields of a dataclass below are the keys of its payload, in
the wire's own names and units: `*_unix` are whole unix seconds, `*_ms`
milliseconds, user ids and message ids strings.

rooms/frames.py reads and writes them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias
from uuid import UUID

from common.errors import CwrkError

MAX_FRAME_BYTES = 64 * 1024
MAX_CHAT_CODE_POINTS = 4000
MAX_ID_CHARACTERS = 64
MAX_TOKEN_CHARACTERS = 8192
MAX_SEQ = 2**53 - 1  # what JavaScript can count to


# --- from clients ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resume:
    """Wants every durable event after `last_seq`, once, in order; the end of it is `resumed`.

    Best in the first `auth` frame (or, as `epoch` and `last_seq`, in the URL): then
    nothing live comes before it. A frame of its own works too, but what was said
    between `hello` and that frame is already on its way, so order by `seq`.
    """

    type: ClassVar = "resume"
    epoch: str
    last_seq: int


@dataclass(frozen=True, slots=True)
class Auth:
    """First frame without a credential in the URL; later, a newer token for the same person.

    With `resume` in the first frame the replay comes before anything live.
    """

    type: ClassVar = "auth"
    access_token: str = dataclasses.field(repr=False)
    resume: Resume | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """Something said: 1 to 4000 code points, no control characters but newline and tab."""

    type: ClassVar = "chat"
    message: str
    client_msg_id: str | None = None
    reply_to: UUID | None = None


@dataclass(frozen=True, slots=True)
class Mute:
    """The sender's own microphone."""

    type: ClassVar = "mute"
    muted: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """An SDP offer; answered by `answer`."""

    type: ClassVar = "offer"
    sdp: str = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class VoiceAttach:
    """Adopts a voice that still runs, after a reconnect; answered by `slots` or `voice_lost`."""

    type: ClassVar = "voice_attach"
    voice_id: str


@dataclass(frozen=True, slots=True)
class Ice:
    """A client's candidate: accepted, changes nothing, since the worker is ICE-lite."""

    type: ClassVar = "ice"


@dataclass(frozen=True, slots=True)
class Ping:
    """Answered by `pong`; what the client saw last is for its own book-keeping."""

    type: ClassVar = "ping"


@dataclass(frozen=True, slots=True)
class Read:
    """The sender has read everything up to `seq`; the room's `unread` counts from there. Not answered."""

    type: ClassVar = "read"
    seq: int


ClientMessage: TypeAlias = Auth | Chat | Ice | Mute | Offer | Ping | Read | Resume | VoiceAttach


# --- to clients -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server accepts."""

    frame_bytes: int
    chat_code_points: int
    chat_per_second: int
    chat_burst: int


@dataclass(frozen=True, slots=True)
class Hello:
    """The first frame. `last_seq` is where the log stands: live events are those after it.

    `ice_servers` has the form of RTCConfiguration.iceServers.
    """

    type: ClassVar = "hello"
    conn_id: str
    epoch: str
    last_seq: int
    heartbeat_ms: int
    limits: Limits
    ice_servers: tuple[Mapping[str, Any], ...]
    server_time_ms: int


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who is in the room now. `muted_by` is "self", "moderator" or ""."""

    user_id: str
    display_name: str
    role: str
    joined_at_unix: int
    last_seen_unix: int
    muted: bool
    muted_by: str
    hand_raised_at: int | None = None


@dataclass(frozen=True, slots=True)
class State:
    """The second frame: who is here, the receiver too."""

    type: ClassVar = "state"
    room_id: str
    participants: tuple[Present, ...]


@dataclass(frozen=True, slots=True)
class PeerJoined:
    """Somebody came; not sent to the one who came. `participant` is what `state` would say of them."""

    type: ClassVar = "peer_joined"
    room_id: str
    user_id: str
    display_name: str
    participant: Present


@dataclass(frozen=True, slots=True)
class PeerLeft:
    """Somebody left, or was lost for 8 s."""

    type: ClassVar = "peer_left"
    room_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class ParticipantUpdated:
    """Somebody's mute, role or name changed; sent to everybody, that person too."""

    type: ClassVar = "participant_updated"
    room_id: str
    user_id: str
    participant: Present


@dataclass(frozen=True, slots=True)
class ChatSaid:
    """A message, saved; with top-level `seq`, one more than the last."""

    type: ClassVar = "chat"
    room_id: str
    user_id: str
    message: str
    msg_id: str
    ts_unix: int
    display_name: str
    client_msg_id: str | None
    reply_to: str | None


@dataclass(frozen=True, slots=True)
class ChatAck:
    """To the sender: saved. `duplicate`: it had been before, and this is that message."""

    type: ClassVar = "chat_ack"
    msg_id: str
    client_msg_id: str | None
    seq: int
    ts_unix: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Resumed:
    """The end of a replay: (from_seq, to_seq] was sent. Not recovered: fetch the history instead."""

    type: ClassVar = "resumed"
    recovered: bool
    from_seq: int
    to_seq: int


@dataclass(frozen=True, slots=True)
class AuthOk:
    """A newer token was taken."""

    type: ClassVar = "auth_ok"
    expires_at_unix: int


@dataclass(frozen=True, slots=True)
class Pong:
    """`last_seq` is what this connection should have seen."""

    type: ClassVar = "pong"
    last_seq: int


@dataclass(frozen=True, slots=True)
class Slot:
    """Whose voice the listener's own m-line `mid` carries; None: nobody's."""

    mid: str
    user_id: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The SDP answer; `voice_id` names this voice from now on."""

    type: ClassVar = "answer"
    sdp: str = dataclasses.field(repr=False)
    voice_id: str = ""
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Slots:
    """All slots of the receiver's voice `voice_id`, whenever one changes."""

    type: ClassVar = "slots"
    voice_id: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Speaker:
    """`level`: 0 silent to 127 loudest."""

    user_id: str
    level: int


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who speaks, loudest first."""

    type: ClassVar = "speakers"
    speakers: tuple[Speaker, ...]


@dataclass(frozen=True, slots=True)
class VoiceLost:
    """This voice is gone. Offer again, unless the reason is "taken_over".

    Other reasons: "timeout", "failed", "worker_lost", "not_found".
    """

    type: ClassVar = "voice_lost"
    voice_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The server goes away: connect again, spread over `within_ms`."""

    type: ClassVar = "reconnect"
    within_ms: int


@dataclass(frozen=True, slots=True)
class Error:
    """A frame failed; the connection stays. `ref_id` is that frame's id, else a chat's client_msg_id."""

    type: ClassVar = "error"
    code: str
    message: str
    ref_id: str | None
    retryable: bool
    retry_after_ms: int | None = None


ServerMessage: TypeAlias = (
    Answer
    | AuthOk
    | ChatAck
    | ChatSaid
    | Error
    | Hello
    | ParticipantUpdated
    | PeerJoined
    | PeerLeft
    | Pong
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
