"""What goes over the wire, as JSON Schema."""

from __future__ import annotations

from gateway.openapi.parts import Json, ref, text, thing

UNIX = {"type": "integer", "description": "Unix seconds"}
MOMENT = text(format="date-time")
MOMENT_OR_NULL = {"type": ["string", "null"], "format": "date-time"}
UUID = text(format="uuid")
USER_ID = text("The number of the account, as text", pattern="^[0-9]+$")
PASSWORD = text(
    "At least 8 characters of any kind, at most 1,024 bytes in UTF-8; not one of the common ones",
    minLength=8,
    maxLength=1024,
)

ROLES = ["owner", "moderator", "member", "listener"]
COUNT = {"type": "integer", "minimum": 0}

SCHEMAS: dict[str, Json] = {
    "Problem": thing(
        {
            "type": text(),
            "title": text(),
            "status": {"type": "integer"},
            "detail": text("One sentence for a person"),
            "code": text("Stable: what a program branches on", pattern="^[A-Z][A-Z0-9_]*$"),
            "request_id": text(),
            "errors": {"type": "array", "items": thing({"field": text(), "message": text()})},
            "error": thing({"message": text("The same as `detail`, for clients older than RFC 9457")}),
        }
    ),
    "User": thing(
        {
            "id": {"type": "integer", "minimum": 1},
            "email": text(),
            "emailVerified": {"type": "boolean"},
            "displayName": text(),
            "avatarUrl": text(),
            "createdAt": UNIX,
            "updatedAt": UNIX,
            "administrator": {"type": "boolean"},
        }
    ),
    "Tokens": thing(
        {
            "accessToken": text("A JWT (RS256)"),
            "refreshToken": text("Good once: each refresh gives the next one"),
            "expiresIn": {"type": "integer", "description": "Seconds the access token lives"},
        }
    ),
    "Session": {"allOf": [ref("Tokens"), thing({"user": ref("User")})]},
    "OpenSession": thing(
        {
            "id": UUID,
            "device": text("From the User-Agent, for a person"),
            "address": text("At the last refresh"),
            "createdAt": UNIX,
            "lastSeenAt": UNIX,
            "current": {"type": "boolean", "description": "The one that asks"},
        }
    ),
    "KeySet": thing(
        {"keys": {"type": "array", "items": thing({"kty": text(), "kid": text(), "n": text(), "e": text()})}}
    ),
    "Room": thing(
        {
            "id": UUID,
            "name": text(),
            "max_participants": {"type": "integer", "minimum": 1, "maximum": 500},
            "created_at": MOMENT,
            "owner_id": {"type": "integer"},
            "topic": text(),
            "visibility": text(enum=["public", "unlisted", "private"]),
            "participants": {"type": "integer", "minimum": 0, "description": "Seats taken now"},
            "unread": {"type": "integer", "minimum": 0, "description": "Messages after the read marker"},
            "locked": {"type": "boolean", "description": "Nobody new may join"},
            "slow_mode_s": {
                "type": "integer",
                "minimum": 0,
                "description": "Seconds between two messages of one member; 0: none",
            },
            "listen_only": {"type": "boolean", "description": "Only owner and moderators may speak"},
            "role": {"enum": [*ROLES, None], "description": "The caller's own; null for who is no member"},
        }
    ),
    "RoomPage": thing({"items": {"type": "array", "items": ref("Room")}, "next_cursor": ref("NextCursor")}),
    "Participant": thing(
        {
            "user_id": USER_ID,
            "display_name": text(),
            "avatar_url": text(),
            "role": text(enum=ROLES),
            "joined_at": MOMENT,
            "last_seen": MOMENT_OR_NULL,
            "online": {"type": "boolean"},
            "muted": {"type": "boolean"},
            "muted_by": {"enum": ["self", "moderator", None]},
            "hand_raised_at": MOMENT_OR_NULL,
        }
    ),
    "ChatItem": thing(
        {
            "id": UUID,
            "room_id": UUID,
            "user_id": USER_ID,
            "display_name": text(),
            "text": text(),
            "created_at": MOMENT,
            "reply_to": {"type": ["string", "null"]},
            "seq": {"type": "integer", "minimum": 1},
            "edited_at": MOMENT_OR_NULL,
            "deleted": {"type": "boolean"},
            "reactions": {
                "type": "array",
                "items": thing({"emoji": text(), "user_ids": {"type": "array", "items": USER_ID}}),
                "description": "Who reacted, the first one first",
            },
        }
    ),
    "ChatPage": thing(
        {
            "items": {"type": "array", "items": ref("ChatItem"), "description": "Newest first"},
            "next_cursor": ref("NextCursor"),
        }
    ),
    "EventPage": thing(
        {
            "items": {
                "type": "array",
                "items": ref("Event"),
                "description": "Oldest first, of rising `seq` without holes",
            },
            "last_seq": {**COUNT, "description": "Where the log stands"},
            "epoch": text("As in `hello`: events of another epoch are of another log"),
            "complete": {
                "type": "boolean",
                "description": "Nothing between `since_seq` and the first event is missing",
            },
        }
    ),
    "Event": {
        **thing({"type": text(), "seq": {"type": "integer", "minimum": 1}, "payload": {"type": "object"}}),
        "description": "A frame as the websocket sends it; /asyncapi.json has each type's payload",
    },
    "Ban": thing(
        {
            "user_id": USER_ID,
            "display_name": text(),
            "by": text("The user id of the moderator"),
            "created_at": MOMENT,
            "until": {**MOMENT_OR_NULL, "description": "null: until it is lifted"},
        }
    ),
    "Invite": thing(
        {
            "code": text(pattern="^[A-Za-z0-9_-]+$"),
            "url": text("The page that accepts it", format="uri"),
            "room_id": UUID,
            "created_by": USER_ID,
            "created_at": MOMENT,
            "expires_at": {**MOMENT_OR_NULL, "description": "null: never"},
            "max_uses": {"type": ["integer", "null"], "minimum": 1, "description": "null: any number"},
            "uses": COUNT,
        }
    ),
    "Ticket": thing(
        {
            "ticket": text("Opens one websocket of the caller to this room, once, within 30 s"),
            "expires_at": MOMENT,
            "ws_url": text("The whole address to open", pattern="^wss?://"),
        }
    ),
    "Timer": thing(
        {
            "state": text(enum=["stopped", "running", "paused"]),
            "focus_s": COUNT,
            "break_s": COUNT,
            "started_at_ms": {
                **COUNT,
                "description": "Running: when the first cycle began, in unix milliseconds",
            },
            "elapsed_ms": {**COUNT, "description": "Paused: how much of the cycles has passed"},
            "phase": {
                "enum": ["focus", "break", None],
                "description": "As of this answer; null when stopped",
            },
            "remaining_ms": {**COUNT, "description": "Of the phase, as of this answer"},
            "round": {**COUNT, "description": "From 1; 0 when stopped"},
            "set_by": {"type": ["string", "null"], "description": "The user id; null when never set"},
        }
    ),
    "Finding": thing(
        {
            "about": text("Which part"),
            "state": {"enum": ["well", "odd", "wrong"], "description": "odd: it works, and is worth a look"},
            "said": text("One sentence for a person"),
            "todo": {"type": ["string", "null"], "description": "What to change, where something is to be"},
        }
    ),
    "NextCursor": {"type": ["string", "null"], "description": "Opaque; null on the last page"},
}

HEADERS: dict[str, Json] = {
    "X-Request-ID": {
        "description": "Taken over from the request, else made",
        "required": True,
        "schema": text(pattern="^[A-Za-z0-9._-]{1,64}$"),
    },
    "traceparent": {
        "description": "W3C Trace Context: of the trace that was sent, else of a new one",
        "required": True,
        "schema": text(pattern="^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"),
    },
    "Retry-After": {"description": "Seconds", "required": True, "schema": {"type": "integer", "minimum": 1}},
    "WWW-Authenticate": {"description": "RFC 6750", "required": True, "schema": text(pattern="^Bearer")},
}
