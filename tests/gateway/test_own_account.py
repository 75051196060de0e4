"""One's own sessions, password and name, at the gateway."""

from typing import Any
from uuid import UUID

import pytest

from tests.auth.running import PASSWORD
from tests.gateway.running import Answer, Api

NEW = "an entirely different phrase"
NOBODYS = "0197f3a4-5b1c-4d2e-8f60-7a8b9c0d1e2f"
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


async def login(api: Api, **headers: str) -> Any:
    """Another session of Ann's; the body of the answer."""
    body = {"email": "ann@example.org", "password": PASSWORD}
    answer = await api.call("POST", "/auth/login", body, headers=headers)
    assert answer.status == 200, answer.text
    return answer.json


async def as_token(api: Api, token: str, method: str, path: str, json: Any = None) -> Answer:
    return await api.call(method, path, json, headers={"Authorization": f"Bearer {token}"})


async def test_the_list_of_sessions(api: Api) -> None:
    await api.register()
    await login(api, **FIREFOX)
    answer = await api.call("GET", "/auth/sessions")
    assert answer.status == 200
    newest, own = answer.json["items"]
    assert newest.keys() == {"id", "device", "address", "createdAt", "lastSeenAt", "current"}
    assert (newest["device"], newest["address"], newest["current"]) == (
        "Firefox on Linux",
        "127.0.0.1",
        False,
    )
    assert own["current"]
    assert UUID(newest["id"]) != UUID(own["id"])
    assert newest["createdAt"] == newest["lastSeenAt"] > 1_700_000_000


async def test_a_refresh_records_where_it_came_from(api: Api) -> None:
    ann = await api.register()
    body = {"refreshToken": ann["refreshToken"]}
    assert (await api.call("POST", "/auth/refresh", body, headers=FIREFOX)).status == 200
    (session,) = (await api.call("GET", "/auth/sessions")).json["items"]
    assert session["device"] == "Firefox on Linux"


async def test_one_session_is_ended_and_refused_at_once(api: Api) -> None:
    await api.register()
    other = (await login(api))["accessToken"]
    newest = (await api.call("GET", "/auth/sessions")).json["items"][0]
    assert (await api.call("DELETE", f"/auth/sessions/{newest['id'].upper()}")).status == 204
    refused = await as_token(api, other, "GET", "/auth/me")
    assert (refused.status, refused.json["code"]) == (401, "SESSION_ENDED")
    assert refused.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
    assert (await api.call("GET", "/auth/me")).status == 200


@pytest.mark.parametrize("session_id", [NOBODYS, "nonsense", "%00"])
async def test_a_session_that_is_none_of_ones_own_is_not_found(api: Api, session_id: str) -> None:
    await api.register()
    answer = await api.call("DELETE", f"/auth/sessions/{session_id}")
    assert (answer.status, answer.json["code"]) == (404, "SESSION_NOT_FOUND")


async def test_logging_out_everywhere(api: Api) -> None:
    await api.register()
    other = (await login(api))["accessToken"]
    assert (await api.call("DELETE", "/auth/sessions")).status == 204
    for token in (api.token, other):
        refused = await as_token(api, token, "GET", "/auth/me")
        assert (refused.status, refused.json["code"]) == (401, "SESSION_ENDED")


async def test_another_password(api: Api) -> None:
    await api.register()
    other = (await login(api))["accessToken"]
    wrong = await api.call("POST", "/auth/password", {"currentPassword": "no, not it", "newPassword": NEW})
    assert (wrong.status, wrong.json["code"]) == (403, "PASSWORD_WRONG")
    weak = await api.call("POST", "/auth/password", {"currentPassword": PASSWORD, "newPassword": "short"})
    assert (weak.status, [error["field"] for error in weak.json["errors"]]) == (422, ["newPassword"])
    changed = await api.call("POST", "/auth/password", {"currentPassword": PASSWORD, "newPassword": NEW})
    assert (changed.status, changed.text) == (204, "")
    assert (await as_token(api, other, "GET", "/auth/me")).status == 401
    assert (await api.call("GET", "/auth/me")).status == 200
    body = {"email": "ann@example.org", "password": NEW}
    assert (await api.call("POST", "/auth/login", body)).status == 200


async def test_another_name(api: Api) -> None:
    await api.register()
    answer = await api.call("PATCH", "/auth/me", {"displayName": "Аня"})
    assert (answer.status, answer.json["displayName"]) == (200, "Аня")
    assert (await api.call("GET", "/auth/me")).json == answer.json
    assert (await api.call("PATCH", "/auth/me", {})).json["displayName"] == "Аня"
    wrong = await api.call("PATCH", "/auth/me", {"displayName": ""})
    assert (wrong.status, [error["field"] for error in wrong.json["errors"]]) == (422, ["displayName"])
    assert (await api.call("PATCH", "/auth/me", {"displayName": 7})).status == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/auth/sessions"),
        ("DELETE", "/auth/sessions"),
        ("DELETE", f"/auth/sessions/{NOBODYS}"),
        ("POST", "/auth/password"),
        ("PATCH", "/auth/me"),
        ("POST", "/auth/logout"),
    ],
)
async def test_all_of_it_wants_somebody_signed_in(api: Api, method: str, path: str) -> None:
    answer = await api.call(method, path, {} if method in ("POST", "PATCH") else None)
    assert (answer.status, answer.json["code"]) == (401, "TOKEN_MISSING")
