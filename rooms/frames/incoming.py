"""What clients send: one frozen dataclass a message, one union of them all.

Every frame is text: {"type": …, "payload": {…}}, with an optional top-level
"id", chosen by the client and echoed in the answer or the error. The fields of
a dataclass below are the keys of its payload. rooms/frames/codec.py reads them,
rooms/frames/asyncapi.py describes them to others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, TypeAlias
from uuid import UUID

from rooms.frames.fields import words

MAX_FRAME_BYTES = 64 * 1024
MAX_CHAT_CODE_POINTS = 4000
MAX_ID_CHARACTERS = 64
MAX_TOKEN_CHARACTERS = 8192
MAX_EMOJI_CODE_POINTS = 16  # a family with skin tones has 11
MAX_BAN_SECONDS = 366 * 24 * 3600
ACTIONS = ("mute", "unmute", "kick", "ban", "unban", "role")
ROLES = ("moderator", "member", "listener")  # those that somebody can be given
MAX_SEQ = 2**53 - 1  # what JavaScript can count to

# The kinds of fields, with what JSON Schema says of them. rooms/frames/codec.py says no to all else.
MessageText = Annotated[str, words(minLength=1, maxLength=MAX_CHAT_CODE_POINTS, pattern=r"\S")]
Token = Annotated[str, words(minLength=1, maxLength=MAX_TOKEN_CHARACTERS)]
Sdp = Annotated[str, words(minLength=1, maxLength=MAX_FRAME_BYTES)]
Id = Annotated[str, words(minLength=1, maxLength=MAX_ID_CHARACTERS)]
Emoji = Annotated[str, words(minLength=1, maxLength=MAX_EMOJI_CODE_POINTS)]
Seq = Annotated[int, words(minimum=0, maximum=MAX_SEQ)]
UserId = Annotated[int, words(type=["string", "integer"], pattern="^[0-9]{1,16}$", minimum=1)]
Action = Annotated[str, words(enum=ACTIONS)]
Role = Annotated[str, words(enum=ROLES)]
BanSeconds = Annotated[int, words(minimum=1, maximum=MAX_BAN_SECONDS)]


@dataclass(frozen=True, slots=True)
class Resume:
    """Wants every durable event after `last_seq`, once, in order; the end of it is `resumed`.

    Best in the first `auth` frame (or, as `epoch` and `last_seq`, in the URL): then
    nothing live comes before it. A frame of its own works too, but what was said
    between `hello` and that frame is already on its way, so order by `seq`.
    """

    type: ClassVar = "resume"
    epoch: Id
    last_seq: Seq


@dataclass(frozen=True, slots=True)
class Auth:
    """First frame without a credential in the URL; later, a newer token for the same person.

    With `resume` in the first frame the replay comes before anything live.
    """

    type: ClassVar = "auth"
    access_token: Token = field(repr=False)
    resume: Resume | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """Something said: 1 to 4000 code points, no control characters but newline and tab."""

    type: ClassVar = "chat"
    message: MessageText
    client_msg_id: Id | None = None
    reply_to: UUID | None = None


@dataclass(frozen=True, slots=True)
class ChatEdit:
    """Another text for one's own message; answered by `ack`."""

    type: ClassVar = "chat_edit"
    msg_id: UUID
    message: MessageText
    client_msg_id: Id | None = None


@dataclass(frozen=True, slots=True)
class ChatDelete:
    """Takes back one's own message, or as a moderator anybody's; answered by `ack`."""

    type: ClassVar = "chat_delete"
    msg_id: UUID
    client_msg_id: Id | None = None


@dataclass(frozen=True, slots=True)
class ChatReaction:
    """Puts an emoji under a message, or (`added` false) takes one's own away; answered by `ack`."""

    type: ClassVar = "chat_reaction"
    msg_id: UUID
    emoji: Emoji
    added: bool = True
    client_msg_id: Id | None = None


@dataclass(frozen=True, slots=True)
class Typing:
    """The sender writes, or has stopped. Say it again every few seconds; not answered, not kept."""

    type: ClassVar = "typing"
    typing: bool = True


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji for everybody to see now; not answered, not kept."""

    type: ClassVar = "reaction"
    emoji: Emoji


@dataclass(frozen=True, slots=True)
class Hand:
    """The sender's own hand."""

    type: ClassVar = "hand"
    raised: bool


@dataclass(frozen=True, slots=True)
class Moderate:
    """What a moderator does to somebody; answered by `ack`.

    `action`: "mute", "unmute", "kick", "ban" (for `seconds`, or until it is lifted),
    "unban", "role" (to `role`: "moderator", "member" or "listener").
    """

    type: ClassVar = "moderate"
    action: Action
    user_id: UserId
    role: Role | None = None
    seconds: BanSeconds | None = None


@dataclass(frozen=True, slots=True)
class Mute:
    """The sender's own microphone."""

    type: ClassVar = "mute"
    muted: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """An SDP offer; answered by `answer`."""

    type: ClassVar = "offer"
    sdp: Sdp = field(repr=False)


@dataclass(frozen=True, slots=True)
class VoiceAttach:
    """Adopts a voice that still runs, after a reconnect; answered by `slots` or `voice_lost`."""

    type: ClassVar = "voice_attach"
    voice_id: Id


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
    seq: Seq


# What clients ask to have written into the log.
Act: TypeAlias = Chat | ChatEdit | ChatDelete | ChatReaction

ClientMessage: TypeAlias = (
    Act | Auth | Hand | Ice | Moderate | Mute | Offer | Ping | Reaction | Read | Resume | Typing | VoiceAttach
)
