"""/auth and the key set. Bodies are camelCase."""

from __future__ import annotations

from gateway.openapi.parts import EMPTY, Json, answer, operation, optional, parameter, ref, text, thing
from gateway.openapi.schemas import PASSWORD, UUID

TAG = "Accounts"
EMAIL = text(format="email", maxLength=254)
NAME = text("1 to 64 characters, one of them visible")
MAILED = answer("The same for known and unknown addresses")
MAIL_TOKEN = text("From the link in the mail")

PATHS: dict[str, Json] = {
    "/auth/register": {
        "post": operation(
            TAG,
            "register",
            "Open an account",
            {201: answer("The account and its first session", ref("Session"))},
            (403, 409),
            signed_in=False,
            takes_body=thing(
                {"email": EMAIL, "displayName": NAME, "password": PASSWORD},
                invite=optional(text("Where registration is by invite")),
            ),
        )
    },
    "/auth/login": {
        "post": operation(
            TAG,
            "login",
            "Open a session",
            {200: answer("A new session", ref("Session"))},
            (401, 403),
            signed_in=False,
            takes_body=thing({"email": text(), "password": text()}),
        )
    },
    "/auth/refresh": {
        "post": operation(
            TAG,
            "refresh",
            "The next pair of tokens",
            {200: answer("The next pair", ref("Tokens"))},
            (401, 403),
            signed_in=False,
            takes_body=thing({"refreshToken": text()}),
        )
    },
    "/auth/logout": {"post": operation(TAG, "logout", "End the session of this token", {204: EMPTY})},
    "/auth/me": {
        "get": operation(TAG, "me", "One's own account", {200: answer("The account", ref("User"))}, (404,)),
        "patch": operation(
            TAG,
            "updateMe",
            "Change one's own account",
            {200: answer("The account", ref("User"))},
            (404,),
            takes_body=thing({}, displayName=optional(NAME)),
        ),
        "delete": operation(
            TAG,
            "deleteMe",
            "Delete one's own account; its messages stay under “deleted”",
            {204: EMPTY},
            (404,),
            takes_body=thing({"password": text("The account's, again")}),
        ),
    },
    "/auth/sessions": {
        "get": operation(
            TAG,
            "listSessions",
            "Where one is logged in",
            {
                200: answer(
                    "The sessions",
                    thing({"items": {"type": "array", "items": ref("OpenSession")}}),
                    links={
                        "endSession": {
                            "operationId": "endSession",
                            "parameters": {"path.id": "$response.body#/items/0/id"},
                        }
                    },
                )
            },
        ),
        "delete": operation(TAG, "endSessions", "Log out everywhere, here too", {204: EMPTY}),
    },
    "/auth/sessions/{id}": {
        "parameters": [parameter("path", "id", UUID, "Of the list of sessions", required=True)],
        "delete": operation(TAG, "endSession", "End one session", {204: EMPTY}, (404,)),
    },
    "/auth/password": {
        "post": operation(
            TAG,
            "changePassword",
            "Change the password; the other sessions end",
            {204: EMPTY},
            (404,),
            takes_body=thing({"currentPassword": text(), "newPassword": PASSWORD}),
        )
    },
    "/auth/verify": {
        "post": operation(
            TAG,
            "verify",
            "Ask for the mail that verifies an address (email), or verify it (token)",
            {204: MAILED},
            signed_in=False,
            takes_body=thing({}, email=optional(text()), token=optional(MAIL_TOKEN)),
        )
    },
    "/auth/forgot": {
        "post": operation(
            TAG,
            "forgot",
            "Ask for the mail with which a password is set anew",
            {204: MAILED},
            signed_in=False,
            takes_body=thing({"email": text()}),
        )
    },
    "/auth/reset": {
        "post": operation(
            TAG,
            "reset",
            "Set the password anew; all sessions end",
            {204: EMPTY},
            signed_in=False,
            takes_body=thing({"token": MAIL_TOKEN, "password": PASSWORD}),
        )
    },
    "/.well-known/jwks.json": {
        "get": operation(
            TAG,
            "keySet",
            "The public keys (RFC 7517)",
            {200: answer("A JSON Web Key Set", ref("KeySet"))},
            signed_in=False,
        )
    },
}
