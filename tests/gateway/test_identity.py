"""Who may pass: a good token, and nobody who says to be somebody else."""

import pytest

from tests.auth.running import Caller
from tests.gateway.running import Api

ROOM = "/rooms/0190c0de-0000-7000-8000-000000000001"
PRIVATE = [
    ("GET", "/auth/me"),
    ("POST", "/auth/logout"),
    ("GET", "/rooms"),
    ("POST", "/rooms"),
    ("GET", ROOM),
    ("POST", f"{ROOM}/join"),
    ("POST", f"{ROOM}/leave"),
    ("GET", f"{ROOM}/participants"),
    ("GET", f"{ROOM}/chat"),
    ("GET", f"{ROOM}/events"),
    ("PATCH", ROOM),
    ("DELETE", ROOM),
    *(
        ("POST", f"{ROOM}/participants/7/{action}")
        for action in ("mute", "unmute", "kick", "ban", "unban", "role")
    ),
    ("GET", f"{ROOM}/bans"),
    ("POST", f"{ROOM}/invites"),
    ("GET", f"{ROOM}/invites"),
    ("DELETE", f"{ROOM}/invites/abc"),
    ("POST", "/invites/abc/accept"),
    ("POST", f"{ROOM}/tickets"),
    ("GET", f"{ROOM}/timer"),
    ("PUT", f"{ROOM}/timer"),
]


@pytest.mark.parametrize(("method", "path"), PRIVATE)
async def test_without_a_token_nobody_passes(api: Api, method: str, path: str) -> None:
    answer = await api.call(method, path)
    assert (answer.status, answer.json["code"]) == (401, "TOKEN_MISSING")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YW5uOng=", "{token}", "Token {token}"])
async def test_what_is_no_bearer_token(api: Api, header: str) -> None:
    token = (await api.register())["accessToken"]
    answer = await api.call("GET", "/auth/me", headers={"Authorization": header.format(token=token)})
    assert (answer.status, answer.json["code"]) == (401, "TOKEN_MISSING")


@pytest.mark.parametrize(
    "header", ["Bearer x", "Bearer a.b.c", "Bearer {token}x", "Bearer {token} more", "Bearer é"]
)
async def test_what_is_no_token_of_ours(api: Api, header: str) -> None:
    token = (await api.register())["accessToken"]
    answer = await api.call("GET", "/rooms", headers={"Authorization": header.format(token=token)})
    assert (answer.status, answer.json["code"]) == (401, "TOKEN_INVALID")
    assert (
        answer.headers["WWW-Authenticate"]
        == 'Bearer error="invalid_token", error_description="TOKEN_INVALID"'
    )


async def test_the_schemes_name_may_be_written_in_any_case(api: Api) -> None:
    token = (await api.register())["accessToken"]
    answer = await api.call("GET", "/auth/me", headers={"Authorization": f"bearer  {token}"})
    assert answer.status == 200


async def test_a_user_id_that_is_sent_must_be_the_tokens(api: Api) -> None:
    user_id = (await api.register())["user"]["id"]
    assert (await api.call("GET", "/auth/me", headers={"X-User-ID": str(user_id)})).status == 200
    for other in (str(user_id + 1), "", "me", f"{user_id}.0"):
        answer = await api.call("GET", "/auth/me", headers={"X-User-ID": other})
        assert (answer.status, answer.json["code"]) == (403, "USER_ID_MISMATCH")


async def test_a_user_id_alone_is_worth_nothing(api: Api) -> None:
    answer = await api.call("GET", "/auth/me", headers={"X-User-ID": "1"})
    assert (answer.status, answer.json["code"]) == (401, "TOKEN_MISSING")


async def test_public_routes_ask_for_nothing(api: Api, auth: Caller) -> None:
    api.token = "rubbish"
    for path in ("/.well-known/jwks.json", "/healthz", "/readyz", "/config.json", "/"):
        assert (await api.call("GET", path)).status == 200
