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
        }
    ),
    "RoomPage": thing({"items": {"type": "array", "items": ref("Room")}, "next_cursor": ref("NextCursor")}),
    "Participant": thing(
        {
            "user_id": USER_ID,
            "display_name": text(),
            "avatar_url": text(),
            "role": text(enum=["owner", "moderator", "member", "listener"]),
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
        }
    ),
    "ChatPage": thing(
        {
            "items": {"type": "array", "items": ref("ChatItem"), "description": "Newest first"},
            "next_cursor": ref("NextCursor"),
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
