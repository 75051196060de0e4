"""What the gateway asks, read and checked: requests in protobuf as values.

All that is wrong with a request is told at once (InvalidFields).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from common import text
from common.errors import FieldError, InvalidFields
from proto import rooms_pb2
from rooms.core import timer
from rooms.frames.incoming import ACTIONS, MAX_BAN_SECONDS, MAX_SEQ, ROLES, Moderate
from rooms.tables.idempotency import Key
from rooms.tables.room_rows import gone
from rooms.tables.timers import Wish

MAX_NAME, MAX_TOPIC, MAX_QUERY = 100, 500, 100
MAX_PARTICIPANTS, DEFAULT_PARTICIPANTS = 500, 10
MAX_SLOW_MODE_SECONDS = 3600
VISIBILITIES = ("public", "unlisted", "private")
DEFAULT_LIMIT, MAX_LIMIT = 50, 100
INVITE_SECONDS = 7 * 24 * 3600
SHORTEST_INVITE, LONGEST_INVITE = 60, 365 * 24 * 3600
MOST_USES = 10_000


@dataclass
class Fields:
    """Reads fields, and notes what is wrong with them; `check` raises it."""

    wrong: list[FieldError] = field(default_factory=list)

    def line(self, name: str, raw: str, longest: int, *, needed: bool = True) -> str:
        try:
            return text.line(raw, longest=longest, needed=needed)
        except ValueError as error:
            self.wrong.append(FieldError(name, str(error)))
            return raw

    def number(self, name: str, value: int, least: int, most: int) -> int:
        if not least <= value <= most:
            self.wrong.append(FieldError(name, f"must be {least} to {most}"))
        return value

    def choice(self, name: str, value: str, choices: tuple[str, ...]) -> str:
        if value not in choices:
            self.wrong.append(FieldError(name, "must be one of " + ", ".join(choices)))
        return value

    def user_id(self, name: str, raw: str) -> int:
        if raw.isascii() and raw.isdigit() and len(raw) < 17 and 1 <= int(raw) <= MAX_SEQ:
            return int(raw)
        self.wrong.append(FieldError(name, "must be a user's id"))
        return 0

    def check(self) -> None:
        if self.wrong:
            raise InvalidFields(*self.wrong)


@dataclass(frozen=True, slots=True)
class NewRoom:
    name: str
    topic: str
    visibility: str
    max_participants: int
    key: Key | None


def new_room(request: rooms_pb2.CreateRoomRequest) -> NewRoom:
    fields = Fields()
    name = fields.line("name", request.name, MAX_NAME)
    topic = fields.line("topic", request.topic, MAX_TOPIC, needed=False)
    maximum = request.max if request.HasField("max") else DEFAULT_PARTICIPANTS
    fields.number("max", maximum, 1, MAX_PARTICIPANTS)
    visibility = fields.choice("visibility", request.visibility or "public", VISIBILITIES)
    fields.check()
    key = _key(request.idempotency_key, name, topic, visibility, maximum)
    return NewRoom(name, topic, visibility, maximum, key)


def settings(request: rooms_pb2.UpdateRoomRequest) -> tuple[Mapping[str, object], int | None]:
    """The settings to change, by the names of RoomView; and the new owner, if there is to be one."""
    fields, changes = Fields(), dict[str, object]()
    if request.HasField("name"):
        changes["name"] = fields.line("name", request.name, MAX_NAME)
    if request.HasField("topic"):
        changes["topic"] = fields.line("topic", request.topic, MAX_TOPIC, needed=False)
    if request.HasField("visibility"):
        changes["visibility"] = fields.choice("visibility", request.visibility, VISIBILITIES)
    if request.HasField("max"):
        changes["max_participants"] = fields.number("max", request.max, 1, MAX_PARTICIPANTS)
    if request.HasField("slow_mode_s"):
        changes["slow_mode_s"] = fields.number("slow_mode_s", request.slow_mode_s, 0, MAX_SLOW_MODE_SECONDS)
    if request.HasField("locked"):
        changes["locked"] = request.locked
    if request.HasField("listen_only"):
        changes["listen_only"] = request.listen_only
    new_owner = fields.user_id("owner_id", request.owner_id) if request.HasField("owner_id") else None
    fields.check()
    return changes, new_owner


def ruling(request: rooms_pb2.ModerateRequest) -> Moderate:
    fields = Fields()
    user_id = fields.user_id("user_id", request.user_id)
    action = fields.choice("action", request.action, ACTIONS)
    role = fields.choice("role", request.role, ROLES) if action == "role" else None
    seconds = None
    if action == "ban" and request.HasField("seconds"):
        seconds = fields.number("seconds", request.seconds, 1, MAX_BAN_SECONDS)
    fields.check()
    return Moderate(action, user_id, role, seconds)


def new_invite(request: rooms_pb2.CreateInviteRequest) -> tuple[int, int | None]:
    """For how many seconds, and for how many people (None: any number)."""
    fields = Fields()
    expires_in = request.expires_in if request.HasField("expires_in") else INVITE_SECONDS
    fields.number("expires_in", expires_in, SHORTEST_INVITE, LONGEST_INVITE)
    max_uses = request.max_uses if request.HasField("max_uses") else None
    if max_uses is not None:
        fields.number("max_uses", max_uses, 1, MOST_USES)
    fields.check()
    return expires_in, max_uses


def timer_wish(request: rooms_pb2.SetTimerRequest) -> Wish:
    fields = Fields()
    action = fields.choice("action", request.action, timer.ACTIONS)
    focus_s = request.focus_s if request.HasField("focus_s") else None
    break_s = request.break_s if request.HasField("break_s") else None
    if focus_s is not None:
        fields.number("focus_s", focus_s, timer.SHORTEST_FOCUS, timer.LONGEST_FOCUS)
    if break_s is not None:
        fields.number("break_s", break_s, 0, timer.LONGEST_BREAK)
    fields.check()
    return Wish(action, focus_s, break_s)


def query(field_name: str, raw: str, longest: int = MAX_QUERY) -> str:
    fields = Fields()
    asked = fields.line(field_name, raw, longest, needed=False)
    fields.check()
    return asked


def limit(asked: int, most: int = MAX_LIMIT) -> int:
    if asked < 0:
        raise InvalidFields(FieldError("limit", "must not be negative"))
    return min(asked or DEFAULT_LIMIT, most)


def since_seq(asked: int) -> int:
    if asked < 0:
        raise InvalidFields(FieldError("since_seq", "must not be negative"))
    return asked


def room_id_of(raw: str) -> UUID:
    """A room's id. Raises NotFound for what is none: there is no such room."""
    try:
        return UUID(raw)
    except ValueError:
        raise gone() from None


def _key(raw: str, *body: object) -> Key | None:
    return Key(raw, hashlib.sha256(json.dumps(body).encode()).digest()) if raw else None
