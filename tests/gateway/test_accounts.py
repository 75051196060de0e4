"""The routes under /auth, through a real gateway and a real auth."""

import json

from tests.auth.running import PASSWORD
from tests.gateway.running import Api

CREDENTIALS = {"email": "ann@example.org", "password": PASSWORD}

# Headers that differ from one answer to the next, whatever was asked.
EACH_ITS_OWN = {"Date", "traceparent", "RateLimit"}


async def test_register_answers_tokens_and_user(api: Api) -> None:
    answer = await api.call(
        "POST",
        "/auth/register",
        {"email": "Ann@example.org", "displayName": "Аня", "password": PASSWORD, "unknown": [1]},
    )
    assert answer.status == 201
    body = answer.json
    assert body == {
        "accessToken": body["accessToken"],
        "refreshToken": body["refreshToken"],
        "expiresIn": 900,
        "user": {
            "id": body["user"]["id"],
            "email": "Ann@example.org",
            "emailVerified": False,
            "displayName": "Аня",
            "avatarUrl": "",
            "createdAt": body["user"]["createdAt"],
            "updatedAt": body["user"]["createdAt"],
            "administrator": body["user"]["administrator"],
        },
    }
    assert isinstance(body["user"]["id"], int)
    assert isinstance(body["user"]["createdAt"], int)
    assert isinstance(body["user"]["administrator"], bool)


async def test_login_answers_the_same(api: Api) -> None:
    registered = await api.register()
    answer = await api.call("POST", "/auth/login", CREDENTIALS)
    assert answer.status == 200
    assert answer.json.keys() == registered.keys()
    assert answer.json["user"] == registered["user"]


async def test_refresh_answers_tokens(api: Api) -> None:
    registered = await api.register()
    answer = await api.call("POST", "/auth/refresh", {"refreshToken": registered["refreshToken"]})
    assert answer.status == 200
    assert answer.json.keys() == {"accessToken", "refreshToken", "expiresIn"}
    assert answer.json["refreshToken"] != registered["refreshToken"]


async def test_me_answers_the_user(api: Api) -> None:
    registered = await api.register()
    answer = await api.call("GET", "/auth/me")
    assert (answer.status, answer.json) == (200, registered["user"])


async def test_logout_ends_the_session(api: Api) -> None:
    registered = await api.register()
    answer = await api.call("POST", "/auth/logout")
    assert (answer.status, answer.text) == (204, "")
    assert (await api.call("GET", "/auth/me")).json["code"] == "SESSION_ENDED"
    refused = await api.call("POST", "/auth/refresh", {"refreshToken": registered["refreshToken"]})
    assert (refused.status, refused.json["code"]) == (401, "SESSION_ENDED")


async def test_the_key_set_is_public(api: Api) -> None:
    answer = await api.call("GET", "/.well-known/jwks.json")
    assert answer.status == 200
    assert [key["alg"] for key in json.loads(answer.text)["keys"]] == ["RS256"]
    assert answer.headers["Cache-Control"] == "public, max-age=300"


async def test_an_address_that_is_taken(api: Api) -> None:
    await api.register()
    answer = await api.call(
        "POST", "/auth/register", {**CREDENTIALS, "email": "ANN@example.org", "displayName": "Ann"}
    )
    assert (answer.status, answer.json["code"]) == (409, "EMAIL_TAKEN")


async def test_wrong_password_and_unknown_address_get_the_same_answer(api: Api) -> None:
    await api.register()
    api.token = ""
    answers = []
    for email, password in [("ann@example.org", "wrong password"), ("nobody@example.org", PASSWORD)]:
        answer = await api.call(
            "POST",
            "/auth/login",
            {"email": email, "password": password},
            headers={"X-Request-ID": "same"},
        )
        headers = {name: value for name, value in answer.headers.items() if name not in EACH_ITS_OWN}
        answers.append((answer.status, headers, answer.text))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    assert json.loads(answers[0][2])["code"] == "INVALID_CREDENTIALS"


async def test_every_wrong_field_is_named(api: Api) -> None:
    answer = await api.call("POST", "/auth/register", {"email": 7, "displayName": True})
    assert (answer.status, answer.json["code"]) == (422, "INVALID_FIELDS")
    assert answer.json["errors"] == [
        {"field": "email", "message": "must be a string"},
        {"field": "displayName", "message": "must be a string"},
        {"field": "password", "message": "is needed"},
    ]
    answer = await api.call(
        "POST", "/auth/register", {"email": "ann", "displayName": "x" * 65, "password": "short"}
    )
    assert answer.status == 422
    assert [error["field"] for error in answer.json["errors"]] == ["email", "displayName", "password"]


async def test_a_browser_that_sends_no_utf8_can_log_in(api: Api) -> None:
    await api.register()
    body = json.dumps(CREDENTIALS).encode()
    answer = await api.send_raw(
        b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nUser-Agent: \xff\xfe\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    assert answer.startswith(b"HTTP/1.1 200 ")
