"""Moderators' routes: what the rooms service is asked."""

from typing import Any

import pytest

from proto import rooms_pb2
from tests.gateway.running import Api, RecordedRooms
from tests.gateway.test_problems import assert_problem

ID = "0190c0de-0000-7000-8000-000000000001"


@pytest.fixture(autouse=True)
async def _signed_in(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = rooms_pb2.ModerateResponse(seq=12)
    await api.register()


@pytest.mark.parametrize(
    ("action", "body", "more"),
    [
        ("mute", None, {}),
        ("unmute", None, {}),
        ("kick", None, {}),
        ("unban", None, {}),
        ("ban", None, {}),
        ("ban", {}, {}),
        ("ban", {"seconds": None}, {}),
        ("ban", {"seconds": 0}, {"seconds": 0}),
        ("ban", {"seconds": 3600}, {"seconds": 3600}),
        ("role", {"role": "listener"}, {"role": "listener"}),
    ],
)
async def test_what_is_done_to_whom(
    api: Api, rooms: RecordedRooms, action: str, body: Any, more: dict[str, Any]
) -> None:
    answer = await api.call("POST", f"/rooms/{ID}/participants/8/{action}", body)
    assert (answer.status, answer.json) == (200, {"seq": 12})
    assert rooms.asked == [rooms_pb2.ModerateRequest(room_id=ID, user_id="8", action=action, **more)]


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [("ban", {"seconds": "long"}, "seconds"), ("role", {}, "role"), ("role", {"role": 1}, "role")],
)
async def test_a_field_of_the_wrong_kind(
    api: Api, rooms: RecordedRooms, action: str, body: Any, field: str
) -> None:
    answer = await api.call("POST", f"/rooms/{ID}/participants/8/{action}", body)
    assert_problem(answer, 422, "INVALID_FIELDS")
    assert [error["field"] for error in answer.json["errors"]] == [field]
    assert rooms.asked == []


@pytest.mark.parametrize("whom", ["me", "-1", "0", "07", "1.0", "9" * 16, "9" * 17, "%D9%A3"])
async def test_what_is_no_number_is_nobody(api: Api, rooms: RecordedRooms, whom: str) -> None:
    answer = await api.call("POST", f"/rooms/{ID}/participants/{whom}/kick")
    assert_problem(answer, 404, "PERSON_NOT_FOUND")
    assert rooms.asked == []


async def test_an_action_that_there_is_not(api: Api, rooms: RecordedRooms) -> None:
    assert_problem(await api.call("POST", f"/rooms/{ID}/participants/8/promote"), 404, "NOT_FOUND")
    assert rooms.asked == []


async def test_the_bans(api: Api, rooms: RecordedRooms) -> None:
    ban = rooms_pb2.Ban(user_id="8", display_name="Bob", by="7", created_at="2026-11-22T14:05:01Z")
    until = rooms_pb2.Ban(user_id="9", by="7", until="2026-11-23T14:05:01Z")
    rooms.answer = rooms_pb2.ListBansResponse(items=[ban, until])
    answer = await api.call("GET", f"/rooms/{ID}/bans")
    assert answer.status == 200
    assert answer.json["items"][0] == {
        "user_id": "8",
        "display_name": "Bob",
        "by": "7",
        "created_at": "2026-11-22T14:05:01Z",
        "until": None,
    }
    assert answer.json["items"][1]["until"] == "2026-11-23T14:05:01Z"
    assert rooms.asked == [rooms_pb2.ListBansRequest(room_id=ID)]
