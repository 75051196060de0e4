"""The ways in: invites and tickets."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from proto import rooms_pb2
from tests.auth.running import Caller
from tests.gateway.running import Api, RecordedRooms, running_gateway
from tests.gateway.test_problems import assert_problem
from tests.gateway.test_rooms import ROOM, ROOM_JSON

ID = "0190c0de-0000-7000-8000-000000000001"
INVITE = rooms_pb2.Invite(
    code="Kx3-_9",
    room_id=ID,
    created_by="7",
    created_at="2026-11-22T14:05:01Z",
    expires_at="2026-11-29T14:05:01Z",
    max_uses=5,
    uses=1,
)
INVITE_JSON = {
    "code": "Kx3-_9",
    "url": "http://localhost:8080/invite/Kx3-_9",
    "room_id": ID,
    "created_by": "7",
    "created_at": "2026-11-22T14:05:01Z",
    "expires_at": "2026-11-29T14:05:01Z",
    "max_uses": 5,
    "uses": 1,
}
TICKET = rooms_pb2.Ticket(ticket="t1ck-3t", expires_at="2026-11-22T14:05:31Z")


@pytest.fixture(autouse=True)
async def _signed_in(api: Api) -> None:
    await api.register()


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (None, {}),
        ({}, {}),
        ({"expires_in": None}, {}),
        ({"expires_in": 3600, "max_uses": 5}, {"expires_in": 3600, "max_uses": 5}),
        ({"max_uses": 0}, {"max_uses": 0}),  # wrong, and the service says so
    ],
)
async def test_making_an_invite(api: Api, rooms: RecordedRooms, body: Any, asked: dict[str, int]) -> None:
    rooms.answer = INVITE
    answer = await api.call("POST", f"/rooms/{ID}/invites", body)
    assert (answer.status, answer.json) == (201, INVITE_JSON)
    assert rooms.asked == [rooms_pb2.CreateInviteRequest(room_id=ID, **asked)]


async def test_an_invites_address_is_no_headers_to_choose(
    auth: Caller, rooms: RecordedRooms, web_dir: Path
) -> None:
    rooms.answer = INVITE
    async with (
        running_gateway(
            auth=auth.address,
            rooms=rooms.address,
            web_dir=str(web_dir),
            public_url="https://study.example.org/cwrk",
        ) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        api = Api(session, port)
        await api.register("bob@example.org", "Bob")
        answer = await api.call("POST", f"/rooms/{ID}/invites", headers={"Host": "evil.example.org"})
        assert answer.json["url"] == "https://study.example.org/cwrk/invite/Kx3-_9"


@pytest.mark.parametrize("body", [{"expires_in": "1"}, {"expires_in": 1.5}, {"expires_in": True}])
async def test_a_field_of_the_wrong_kind(api: Api, rooms: RecordedRooms, body: Any) -> None:
    assert_problem(await api.call("POST", f"/rooms/{ID}/invites", body), 422, "INVALID_FIELDS")
    assert rooms.asked == []


async def test_a_body_that_may_be_left_out_is_read_when_there(api: Api, rooms: RecordedRooms) -> None:
    for content_type, status, code in (
        ("application/json", 400, "BROKEN_JSON"),
        ("text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ):
        answer = await api.call(
            "POST", f"/rooms/{ID}/invites", data=b"{", headers={"Content-Type": content_type}
        )
        assert_problem(answer, status, code)
    assert rooms.asked == []


async def test_invites_that_hold(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = rooms_pb2.ListInvitesResponse(items=[INVITE, rooms_pb2.Invite(code="x")])
    answer = await api.call("GET", f"/rooms/{ID}/invites")
    assert answer.json["items"][0] == INVITE_JSON
    assert (answer.json["items"][1]["expires_at"], answer.json["items"][1]["max_uses"]) == (None, None)


async def test_an_invite_is_revoked(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = rooms_pb2.RevokeInviteResponse()
    answer = await api.call("DELETE", f"/rooms/{ID}/invites/Kx3-_9")
    assert (answer.status, answer.text) == (204, "")
    assert rooms.asked == [rooms_pb2.RevokeInviteRequest(room_id=ID, code="Kx3-_9")]


async def test_an_invite_is_accepted(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = ROOM
    answer = await api.call("POST", "/invites/Kx3-_9/accept")
    assert (answer.status, answer.json) == (200, ROOM_JSON)
    assert rooms.asked == [rooms_pb2.AcceptInviteRequest(code="Kx3-_9")]


@pytest.mark.parametrize("code", ["a b", "x" * 65, "%FF", "a.b", "%00", "ключ"])
async def test_what_cannot_be_a_code_is_none(api: Api, rooms: RecordedRooms, code: str) -> None:
    for method, path in (
        ("POST", f"/invites/{code}/accept"),
        ("DELETE", f"/rooms/{ID}/invites/{code}"),
    ):
        assert_problem(await api.call(method, path), 404, "INVITE_INVALID")
    assert rooms.asked == []


async def test_a_ticket_is_an_address_to_open(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = TICKET
    answer = await api.call("POST", f"/rooms/{ID}/tickets", headers={"Host": "study.example.org:8080"})
    assert (answer.status, answer.json) == (
        201,
        {
            "ticket": "t1ck-3t",
            "expires_at": "2026-11-22T14:05:31Z",
            "ws_url": f"ws://study.example.org:8082/ws/rooms/{ID}?ticket=t1ck-3t",
        },
    )
    assert rooms.asked == [rooms_pb2.CreateTicketRequest(room_id=ID)]
