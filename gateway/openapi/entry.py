"""Invites and tickets."""

from __future__ import annotations

from gateway.openapi.parts import (
    EMPTY,
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
from gateway.openapi.rooms import ROOM_ID, TAG

CODE = parameter(
    "path", "code", text(pattern="^[A-Za-z0-9_-]+$", minLength=1, maxLength=64), "The invite", required=True
)

PATHS: dict[str, Json] = {
    "/rooms/{id}/invites": {
        "parameters": ROOM_ID,
        "post": operation(
            TAG,
            "createInvite",
            "Make a link by which others become members",
            {
                201: answer(
                    "The invite",
                    ref("Invite"),
                    links={
                        "acceptInvite": {
                            "operationId": "acceptInvite",
                            "parameters": {"path.code": "$response.body#/code"},
                        },
                        "revokeInvite": {
                            "operationId": "revokeInvite",
                            "parameters": {
                                "path.id": "$response.body#/room_id",
                                "path.code": "$response.body#/code",
                            },
                        },
                    },
                )
            },
            (404, 409),
            takes_body=thing(
                {},
                expires_in=optional(
                    {
                        "type": "integer",
                        "minimum": 60,
                        "maximum": 31_536_000,
                        "default": 604_800,
                        "description": "Seconds",
                    }
                ),
                max_uses=optional(
                    {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 10_000,
                        "description": "Any number when absent",
                    }
                ),
            ),
            body_needed=False,
        ),
        "get": operation(
            TAG,
            "listInvites",
            "Those that still open the door, newest first",
            {200: answer("The invites", listed("Invite"))},
            (404,),
        ),
    },
    "/rooms/{id}/invites/{code}": {
        "parameters": [*ROOM_ID, CODE],
        "delete": operation(TAG, "revokeInvite", "It opens nothing from now on", {204: EMPTY}, (404,)),
    },
    "/invites/{code}/accept": {
        "parameters": [CODE],
        "post": operation(
            TAG,
            "acceptInvite",
            "Become a member of the room it is for",
            {200: answer("The room", ref("Room"))},
            (404, 409),
        ),
    },
    "/rooms/{id}/tickets": {
        "parameters": ROOM_ID,
        "post": operation(
            TAG,
            "createTicket",
            "Get an address that opens one websocket, so that no token has to be in one",
            {201: answer("The ticket", ref("Ticket"))},
            (404,),
        ),
    },
}
