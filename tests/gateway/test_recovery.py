"""The routes that go by letter, through gateway, auth and a real SMTP server; and deleting one's account."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from auth import mail
from tests.auth.running import PASSWORD, Caller, running_auth
from tests.auth.smtp import Server, smtp_server
from tests.gateway.running import Answer, Api, RecordedRooms, running_gateway

ANN = "ann@example.org"


@pytest.fixture
async def smtp() -> AsyncIterator[Server]:
    async with smtp_server() as server:
        yield server


@pytest.fixture
async def auth(auth_database: str, keys_dir: Path, smtp: Server) -> AsyncIterator[Caller]:
    to = mail.Server("127.0.0.1", smtp.port, tls=False, starttls=False)
    async with running_auth(auth_database, keys_dir, mail=to, mail_from="study@example.org") as caller:
        yield caller


async def post(api: Api, path: str, body: dict[str, Any]) -> Answer:
    return await api.call("POST", path, body)


def seen(answer: Answer) -> tuple[int, str, list[str]]:
    """All that a stranger sees of an answer, but for its time and number."""
    changing = {"Date", "X-Request-ID", "traceparent"}
    counted = {"RateLimit", "RateLimit-Policy"}
    headers = sorted(
        f"{name}: {value}" for name, value in answer.headers.items() if name not in changing | counted
    )
    return answer.status, answer.text, headers


async def test_verify_forgot_and_reset(api: Api, smtp: Server) -> None:
    await api.register(ANN)
    assert (await post(api, "/auth/verify", {"token": await smtp.token()})).status == 204
    assert (await api.call("GET", "/auth/me")).json["emailVerified"] is True
    assert (await post(api, "/auth/forgot", {"email": ANN})).status == 204
    body = {"token": await smtp.token(), "password": "another horse"}
    assert (await post(api, "/auth/reset", body)).status == 204
    again = await post(api, "/auth/reset", body)
    assert (again.status, again.json["code"]) == (422, "MAIL_TOKEN_INVALID")
    assert (await api.call("GET", "/auth/me")).status == 401
    login = {"email": ANN, "password": "another horse"}
    assert (await post(api, "/auth/login", login)).status == 200


@pytest.mark.parametrize("path", ["/auth/forgot", "/auth/verify"])
async def test_nothing_in_the_answer_says_whether_an_address_is_known(
    api: Api, smtp: Server, path: str
) -> None:
    await api.register(ANN)
    api.token = ""
    known, unknown = [await post(api, path, {"email": email}) for email in (ANN, "nobody@example.org")]
    assert seen(known) == seen(unknown)
    assert known.status == 204


async def test_nothing_in_a_refused_login_says_whether_an_address_is_known(api: Api) -> None:
    await api.register(ANN)
    api.token = ""
    answers = [
        await post(api, "/auth/login", {"email": email, "password": "wrong password"})
        for email in (ANN, "nobody@example.org")
    ]
    for answer in answers:
        answer.text = answer.text.replace(answer.json["request_id"], "")
    assert seen(answers[0]) == seen(answers[1])
    assert answers[0].status == 401


async def test_too_many_guesses_are_429_with_retry_after(api: Api) -> None:
    await api.register(ANN)
    body = {"email": ANN, "password": "wrong password"}
    while (answer := await post(api, "/auth/login", body)).status == 401:
        pass
    assert (answer.status, answer.json["code"]) == (429, "TOO_MANY_ATTEMPTS")
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("path", ["/auth/forgot", "/auth/verify", "/auth/reset"])
async def test_without_what_is_needed_it_is_422(api: Api, path: str) -> None:
    assert (await post(api, path, {})).status == 422
    assert (await post(api, path, {"email": 1, "token": 2, "password": 3})).status == 422


async def test_deleting_ones_account(api: Api) -> None:
    await api.register(ANN)
    assert (await api.call("DELETE", "/auth/me", {})).status == 422
    wrong = await api.call("DELETE", "/auth/me", {"password": "wrong password"})
    assert (wrong.status, wrong.json["code"]) == (403, "PASSWORD_WRONG")
    assert (await api.call("DELETE", "/auth/me", {"password": PASSWORD})).status == 204
    assert (await api.call("GET", "/auth/me")).status == 401
    assert (await post(api, "/auth/login", {"email": ANN, "password": PASSWORD})).status == 401


async def test_registering_by_invite(
    auth_database: str, keys_dir: Path, rooms: RecordedRooms, web_dir: Path
) -> None:
    async with (
        running_auth(auth_database, keys_dir, registration="invite") as auth,
        running_gateway(auth=auth.address, rooms=rooms.address, web_dir=str(web_dir)) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        body = {"email": ANN, "displayName": "Ann", "password": PASSWORD}
        api = Api(session, port)
        refused = await post(api, "/auth/register", body)
        assert (refused.status, refused.json["code"]) == (403, "INVITE_NEEDED")
        refused = await post(api, "/auth/register", {**body, "invite": "no such invite"})
        assert (refused.status, refused.json["code"]) == (403, "INVITE_INVALID")


@pytest.mark.parametrize("path", ["/forgot", "/reset", "/verify"])
async def test_the_pages_that_letters_lead_to(api: Api, path: str) -> None:
    answer = await api.call("GET", path)
    assert answer.status == 200
    assert "app.js" in answer.text
    assert "Content-Security-Policy" in answer.headers
    # The link's token is after the #; what the page asks for next does not say where it came from either.
    assert answer.headers["Referrer-Policy"] in (
        "no-referrer",
        "same-origin",
        "strict-origin-when-cross-origin",
    )
