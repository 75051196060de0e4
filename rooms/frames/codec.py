"""The one door for what clients send (`decode`), and the one for what we send (`encode`).

Unknown fields are ignored; an unknown type is an error.
"""

from __future__ import annotations

import dataclasses
import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard
from uuid import UUID

from common.errors import CwrkError, FieldError, InvalidFields, Malformed
from rooms.frames.incoming import (
    ACTIONS,
    MAX_BAN_SECONDS,
    MAX_CHAT_CODE_POINTS,
    MAX_EMOJI_CODE_POINTS,
    MAX_FRAME_BYTES,
    MAX_ID_CHARACTERS,
    MAX_SEQ,
    MAX_TOKEN_CHARACTERS,
    ROLES,
    Auth,
    Chat,
    ChatDelete,
    ChatEdit,
    ChatReaction,
    ClientMessage,
    Hand,
    Ice,
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
from rooms.frames.outgoing import Error, ServerMessage


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded frame: the message and the id that the client gave it."""

    message: ClientMessage
    ref_id: str | None = None

    @property
    def about(self) -> str | None:
        """What an error calls this frame: its id, else its client_msg_id."""
        return self.ref_id or getattr(self.message, "client_msg_id", None)


class BadFrame(Exception):
    """A frame that cannot be used: `error` says why, `ref_id` and `about` as far as they could be read."""

    def __init__(self, error: CwrkError, ref_id: str | None, client_msg_id: object = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.ref_id = ref_id
        self.about = ref_id or (client_msg_id if _is_id(client_msg_id) else None)


def decode(text: str) -> Frame:
    """The frame in `text`. Raises BadFrame and nothing else, whatever `text` is."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        raise BadFrame(Malformed("The frame is not JSON.", code="BAD_FRAME"), None) from None
    if not isinstance(frame, dict):
        raise BadFrame(Malformed("A frame is an object: type and payload.", code="BAD_FRAME"), None)
    ref_id = frame.get("id")
    if ref_id is not None and not _is_id(ref_id):
        wrong = FieldError("id", f"must be 1 to {MAX_ID_CHARACTERS} printable characters")
        raise BadFrame(InvalidFields(wrong), None)
    kind, payload = frame.get("type"), frame.get("payload", {})
    read = READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise BadFrame(Malformed("This type of message is not known.", code="UNKNOWN_TYPE"), ref_id)
    if not isinstance(payload, dict):
        raise BadFrame(InvalidFields(FieldError("payload", "must be an object")), ref_id)
    try:
        return Frame(read(payload), ref_id)
    except CwrkError as error:
        raise BadFrame(error, ref_id, payload.get("client_msg_id")) from None


def _auth(payload: Mapping[str, Any]) -> Auth:
    resume = payload.get("resume")
    if resume is not None and not isinstance(resume, dict):
        raise _wrong("resume", "must be an object")
    return Auth(_text(payload, "access_token", MAX_TOKEN_CHARACTERS), resume_of(resume) if resume else None)


def _chat(payload: Mapping[str, Any]) -> Chat:
    reply_to = payload.get("reply_to")
    return Chat(
        _message(payload), _client_msg_id(payload), None if reply_to is None else _uuid(payload, "reply_to")
    )


def _chat_edit(payload: Mapping[str, Any]) -> ChatEdit:
    return ChatEdit(_uuid(payload, "msg_id"), _message(payload), _client_msg_id(payload))


def _chat_delete(payload: Mapping[str, Any]) -> ChatDelete:
    return ChatDelete(_uuid(payload, "msg_id"), _client_msg_id(payload))


def _chat_reaction(payload: Mapping[str, Any]) -> ChatReaction:
    added = _flag(payload, "added", default=True)
    return ChatReaction(_uuid(payload, "msg_id"), _emoji(payload), added, _client_msg_id(payload))


def _moderate(payload: Mapping[str, Any]) -> Moderate:
    action = payload.get("action")
    if action not in ACTIONS:
        raise _wrong("action", "must be one of " + ", ".join(ACTIONS))
    role = payload.get("role")
    if action == "role" and role not in ROLES:
        raise _wrong("role", "must be one of " + ", ".join(ROLES))
    seconds = payload.get("seconds")
    if action == "ban" and seconds is not None and not _is_integer(seconds, 1, MAX_BAN_SECONDS):
        raise _wrong("seconds", f"must be a whole number, 1 to {MAX_BAN_SECONDS}")
    return Moderate(
        action,
        _user_id(payload),
        role if action == "role" else None,
        seconds if action == "ban" else None,
    )


def resume_of(payload: Mapping[str, Any]) -> Resume:
    """`epoch` and `last_seq`. Raises InvalidFields."""
    return Resume(_text(payload, "epoch", MAX_ID_CHARACTERS), _seq(payload, "last_seq"))


READERS: Mapping[str, Callable[[Mapping[str, Any]], ClientMessage]] = {
    Auth.type: _auth,
    Chat.type: _chat,
    ChatDelete.type: _chat_delete,
    ChatEdit.type: _chat_edit,
    ChatReaction.type: _chat_reaction,
    Hand.type: lambda payload: Hand(_flag(payload, "raised")),
    Ice.type: lambda payload: Ice(),
    Moderate.type: _moderate,
    Mute.type: lambda payload: Mute(_flag(payload, "muted")),
    Offer.type: lambda payload: Offer(_text(payload, "sdp", MAX_FRAME_BYTES)),
    Ping.type: lambda payload: Ping(),
    Reaction.type: lambda payload: Reaction(_emoji(payload)),
    Read.type: lambda payload: Read(_seq(payload, "seq")),
    Resume.type: resume_of,
    Typing.type: lambda payload: Typing(_flag(payload, "typing", default=True)),
    VoiceAttach.type: lambda payload: VoiceAttach(_text(payload, "voice_id", MAX_ID_CHARACTERS)),
}


def _text(payload: Mapping[str, Any], field: str, longest: int) -> str:
    value = payload.get(field)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise _wrong(field, f"must be text of 1 to {longest} characters")
    if not _is_clean(value, allowed="\r\n\t"):
        raise _wrong(field, "must not hold control characters")
    return value


def _message(payload: Mapping[str, Any]) -> str:
    message = payload.get("message")
    if not isinstance(message, str) or not message.strip():
        raise _wrong("message", "must be text that is not blank")
    if len(message) > MAX_CHAT_CODE_POINTS:
        raise _wrong("message", f"must be at most {MAX_CHAT_CODE_POINTS} characters")
    if not _is_clean(message, allowed="\n\t"):
        raise _wrong("message", "must not hold control characters")
    return message


def _client_msg_id(payload: Mapping[str, Any]) -> str | None:
    client_msg_id = payload.get("client_msg_id")
    if client_msg_id is None or _is_id(client_msg_id):
        return client_msg_id
    raise _wrong("client_msg_id", f"must be 1 to {MAX_ID_CHARACTERS} printable characters")


def _emoji(payload: Mapping[str, Any]) -> str:
    """Symbols alone: no letters, no spaces, and something beyond what a keyboard writes."""
    emoji = payload.get("emoji")
    if (
        not isinstance(emoji, str)
        or not 1 <= len(emoji) <= MAX_EMOJI_CODE_POINTS
        or not _is_clean(emoji)
        or any(unicodedata.category(character)[0] in "LZ" for character in emoji)
        or not any(unicodedata.category(character) in ("So", "Me") for character in emoji)
    ):
        raise _wrong("emoji", "must be an emoji")
    return emoji


def _flag(payload: Mapping[str, Any], field: str, default: bool | None = None) -> bool:
    value = payload.get(field, default)
    if not isinstance(value, bool):
        raise _wrong(field, "must be true or false")
    return value


def _seq(payload: Mapping[str, Any], field: str) -> int:
    value = payload.get(field)
    if not _is_integer(value, 0, MAX_SEQ):
        raise _wrong(field, "must be a whole number from 0")
    return value


def _user_id(payload: Mapping[str, Any]) -> int:
    """A string, as everywhere on the websocket; a number is understood too."""
    value = payload.get("user_id")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 17:
        value = int(value)
    if not _is_integer(value, 1, MAX_SEQ):
        raise _wrong("user_id", "must be a user's id")
    return value


def _uuid(payload: Mapping[str, Any], field: str) -> UUID:
    try:
        return UUID(payload.get(field))
    except (ValueError, TypeError, AttributeError):
        raise _wrong(field, "must be a message's id") from None


def _is_integer(value: object, least: int, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 1 <= len(value) <= MAX_ID_CHARACTERS and _is_clean(value)


def _is_clean(text: str, allowed: str = "") -> bool:
    """No control characters, and no lone surrogates: JSON can spell those, UTF-8 and PostgreSQL cannot."""
    return text.isprintable() or all(
        character in allowed or unicodedata.category(character) not in ("Cc", "Cs") for character in text
    )


def _wrong(field: str, message: str) -> InvalidFields:
    return InvalidFields(FieldError(field, message))


def encode(message: ServerMessage, *, ref_id: str | None = None, seq: int | None = None) -> bytes:
    """The frame's text in UTF-8. An error's `retry_after_ms` is left out when there is none."""
    frame: dict[str, Any] = {"type": message.type}
    if ref_id is not None:
        frame["id"] = ref_id
    if seq is not None:
        frame["seq"] = seq
    frame["payload"] = payload = _plain(message)
    if isinstance(message, Error) and message.retry_after_ms is None:
        del payload["retry_after_ms"]
    return _to_json(frame).encode()


_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


_SCALARS = frozenset({str, int, float, bool, type(None)})
_field_names: dict[type, tuple[str, ...]] = {}  # of each dataclass that was encoded


def _plain(value: Any) -> Any:
    """What JSON can say. dataclasses.asdict does the same, and copies every scalar with care."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if dataclasses.is_dataclass(kind):
        if (names := _field_names.get(kind)) is None:
            names = _field_names[kind] = tuple(field.name for field in dataclasses.fields(kind))
        fields = {name: getattr(value, name) for name in names}
        return {name: each if type(each) in _SCALARS else _plain(each) for name, each in fields.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
