"""/rooms. Bodies are snake_case."""

from __future__ import annotations

from gateway.openapi.parts import (
    EMPTY,
    NO_CONTROLS,
    SOME_TEXT,
    Json,
    answer,
    listed,
    operation,
    optional,
    parameter,
    ref,
    text,
    thing,
)
from gateway.openapi.schemas import USER_ID, UUID

TAG = "Rooms"
ROOM_ID = [parameter("path", "id", UUID, "The room", required=True)]
NAME = text("1 to 100 characters", pattern=SOME_TEXT, minLength=1, maxLength=100)
TOPIC = text(pattern=NO_CONTROLS, maxLength=500)
MAX = {"type": "integer", "minimum": 1, "maximum": 500}
VISIBILITY = ["public", "unlisted", "private"]
FLAG = {"type": "boolean"}
LIMIT = parameter(
    "query",
    "limit",
    {"type": "integer", "minimum": 0},
    "How many; 0 is the default (50), above the most (100) it is clamped",
)
CURSOR = text("Opaque: `next_cursor` of the page before")
LINKED = (
    *("getRoom", "updateRoom", "deleteRoom", "joinRoom", "leaveRoom", "listParticipants", "listChat"),
    *("listEvents", "listBans", "createInvite", "listInvites", "createTicket", "getTimer", "setTimer"),
)
LINKS: Json = {
    name: {"operationId": name, "parameters": {"path.id": "$response.body#/id"}} for name in LINKED
}

PATHS: dict[str, Json] = {
    "/rooms": {
        "post": operation(
            TAG,
            "createRoom",
            "Open a room; its maker is its owner",
            {201: answer("The room", ref("Room"), links=LINKS)},
            (409,),
            parameters=[
                parameter(
                    "header",
                    "Idempotency-Key",
                    text(pattern="^[!-~]+$", minLength=1, maxLength=128),
                    "The same key and body within 24 hours get the first answer again; another body 422",
                )
            ],
            takes_body=thing(
                {"name": NAME},
                max=optional({**MAX, "default": 10}),
                topic=optional(TOPIC),
                visibility={"enum": [*VISIBILITY, "", None], "default": "public"},
            ),
        ),
        "get": operation(
            TAG,
            "listRooms",
            "Public rooms and one's own, newest first",
            {200: answer("A page", ref("RoomPage"))},
            (400, 422),
            parameters=[
                LIMIT,
                parameter("query", "cursor", CURSOR, "Older rooms"),
                parameter(
                    "query", "q", text(pattern=NO_CONTROLS, maxLength=100), "Words in the name or the topic"
                ),
            ],
        ),
    },
    "/rooms/{id}": {
        "parameters": ROOM_ID,
        "get": operation(TAG, "getRoom", "A room", {200: answer("The room", ref("Room"))}, (404,)),
        "patch": operation(
            TAG,
            "updateRoom",
            "Change what is given; by moderators, by the owner what only the owner may",
            {200: answer("The room", ref("Room"))},
            (404,),
            takes_body=thing(
                {},
                name=optional(NAME),
                topic=optional(TOPIC),
                visibility={"enum": [*VISIBILITY, None]},
                max=optional(MAX),
                locked=optional(FLAG),
                slow_mode_s=optional({"type": "integer", "minimum": 0, "maximum": 3600}),
                listen_only=optional(FLAG),
                owner_id={
                    "type": ["string", "integer", "null"],
                    "description": "The member who gets the room",
                    "pattern": "^[1-9][0-9]{0,14}$",
                    "minimum": 1,
                    "maximum": 2**53 - 1,
                },
            ),
        ),
        "delete": operation(
            TAG, "deleteRoom", "Close the room for good, with all that was said", {204: EMPTY}, (404,)
        ),
    },
    "/rooms/{id}/join": {
        "parameters": ROOM_ID,
        "post": operation(
            TAG,
            "joinRoom",
            "Become a member and take a seat; twice is once",
            {200: answer("A seat", thing({"room_id": UUID, "peer_id": USER_ID}))},
            (404, 409),
        ),
    },
    "/rooms/{id}/leave": {
        "parameters": ROOM_ID,
        "post": operation(
            TAG,
            "leaveRoom",
            "End the membership",
            {200: answer("Left", thing({"status": {"const": "left"}}))},
            (404,),
        ),
    },
    "/rooms/{id}/participants": {
        "parameters": ROOM_ID,
        "get": operation(
            TAG,
            "listParticipants",
            "Who has a seat now",
            {200: answer("The participants", listed("Participant"))},
            (404,),
        ),
    },
    "/rooms/{id}/chat": {
        "parameters": ROOM_ID,
        "get": operation(
            TAG,
            "listChat",
            "The history, newest first; for members",
            {200: answer("A page", ref("ChatPage"))},
            (400, 404, 422),
            parameters=[
                LIMIT,
                parameter("query", "after", CURSOR, "Older messages"),
                parameter(
                    "query",
                    "q",
                    text(pattern=NO_CONTROLS, maxLength=100),
                    "Only messages with these words, in any of their forms, in English or Russian",
                ),
            ],
        ),
    },
    "/rooms/{id}/events": {
        "parameters": ROOM_ID,
        "get": operation(
            TAG,
            "listEvents",
            "The log, oldest first, as the websocket sends it; for members",
            {200: answer("Events", ref("EventPage"))},
            (404, 422),
            parameters=[
                parameter(
                    "query",
                    "limit",
                    {"type": "integer", "minimum": 0},
                    "How many; 0 is the default (50), above the most (500) it is clamped",
                ),
                parameter("query", "since_seq", {"type": "integer", "minimum": 0}, "Those after this one"),
            ],
        ),
    },
    "/rooms/{id}/timer": {
        "parameters": ROOM_ID,
        "get": operation(
            TAG, "getTimer", "The study timer", {200: answer("As it is now", ref("Timer"))}, (404,)
        ),
        "put": operation(
            TAG,
            "setTimer",
            "Start, pause or stop the study timer",
            {200: answer("As it is now", ref("Timer"))},
            (404, 409),
            takes_body=thing(
                {"action": {"enum": ["start", "pause", "stop"]}},
                focus_s=optional({"type": "integer", "minimum": 60, "maximum": 14400, "default": 1500}),
                break_s=optional({"type": "integer", "minimum": 0, "maximum": 3600, "default": 300}),
            ),
        ),
    },
}
