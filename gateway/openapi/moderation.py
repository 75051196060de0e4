"""What moderators do to people."""

from __future__ import annotations

from gateway.openapi.parts import Json, answer, listed, operation, optional, parameter, text, thing
from gateway.openapi.rooms import ROOM_ID, TAG

SOMEBODY = [
    *ROOM_ID,
    parameter("path", "user_id", text(pattern="^[1-9][0-9]{0,15}$"), "Who it is done to", required=True),
]
SAVED = answer("Done, as this event of the log", thing({"seq": {"type": "integer", "minimum": 1}}))
SECONDS = {
    "type": "integer",
    "minimum": 1,
    "maximum": 31_622_400,
    "description": "Until it is lifted when absent",
}


def _action(name: str, summary: str, takes_body: Json | None = None, *, body_needed: bool = True) -> Json:
    done = operation(
        TAG,
        name,
        summary,
        {200: SAVED},
        (404,),
        takes_body=takes_body,
        body_needed=body_needed,
    )
    return {"parameters": SOMEBODY, "post": done}


PATHS: dict[str, Json] = {
    "/rooms/{id}/participants/{user_id}/mute": _action("mute", "Mute somebody; only moderators undo it"),
    "/rooms/{id}/participants/{user_id}/unmute": _action("unmute", "Let somebody speak again"),
    "/rooms/{id}/participants/{user_id}/kick": _action("kick", "Send somebody out; they may come again"),
    "/rooms/{id}/participants/{user_id}/ban": _action(
        "ban",
        "Send somebody out who may not come again",
        thing({}, seconds=optional(SECONDS)),
        body_needed=False,
    ),
    "/rooms/{id}/participants/{user_id}/unban": _action("unban", "Lift a ban"),
    "/rooms/{id}/participants/{user_id}/role": _action(
        "giveRole",
        "Make somebody a moderator, a member or a listener",
        thing({"role": {"enum": ["moderator", "member", "listener"]}}),
    ),
    "/rooms/{id}/bans": {
        "parameters": ROOM_ID,
        "get": operation(
            TAG,
            "listBans",
            "Who may not come in; for moderators",
            {200: answer("The bans", listed("Ban"))},
            (404,),
        ),
    },
}
