"""The routes under /rooms: what the rooms service is asked, and how its answers look in JSON."""

import pytest

from common.errors import Conflict
from proto import rooms_pb2
from tests.gateway.running import Api, RecordedRooms
from tests.gateway.test_problems import assert_problem

ID = "0190c0de-0000-7000-8000-000000000001"
ROOM = rooms_pb2.Room(
    id=ID,
    name="Тихая",
    max_participants=10,
    created_at="2026-11-22T14:05:01Z",
    owner_id=7,
    topic="",
    visibility="public",
    participants=0,
    unread=3,
    slow_mode_s=5,
    listen_only=True,
    role="owner",
)
ROOM_JSON = {
    "id": ID,
    "name": "Тихая",
    "max_participants": 10,
    "created_at": "2026-11-22T14:05:01Z",
    "owner_id": 7,
    "topic": "",
    "visibility": "public",
    "participants": 0,
    "unread": 3,
    "locked": False,
    "slow_mode_s": 5,
    "listen_only": True,
    "role": "owner",
}


@pytest.fixture(autouse=True)
async def _signed_in(api: Api) -> None:
    await api.register()


async def test_creating_a_room(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = ROOM
    answer = await api.call("POST", "/rooms", {"name": "Тихая", "max": 10, "topic": None, "colour": "red"})
    assert (answer.status, answer.json) == (201, ROOM_JSON)
    assert rooms.asked == [rooms_pb2.CreateRoomRequest(name="Тихая", max=10)]


async def test_a_room_without_a_size_leaves_the_default_to_the_service(
    api: Api, rooms: RecordedRooms
) -> None:
    await api.call("POST", "/rooms", {"name": "quiet"})
    asked = rooms.asked[0]
    assert isinstance(asked, rooms_pb2.CreateRoomRequest)
    assert not asked.HasField("max")


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("name", "is needed")]),
        ({"name": None}, [("name", "is needed")]),
        ({"name": 1, "max": "10"}, [("name", "must be a string"), ("max", "must be a whole number")]),
        ({"name": "x", "max": True}, [("max", "must be a whole number")]),
        ({"name": "x", "max": 1.5}, [("max", "must be a whole number")]),
        ({"name": "x", "max": 2**64}, [("max", "is out of range")]),
        ({"name": "x", "topic": ["y"]}, [("topic", "must be a string")]),
        ({"name": "\ud800"}, [("name", "must be valid Unicode")]),
    ],
)
async def test_a_field_of_the_wrong_kind(
    api: Api, rooms: RecordedRooms, body: dict[str, object], errors: list[tuple[str, str]]
) -> None:
    answer = await api.call("POST", "/rooms", body)
    assert (answer.status, answer.json["code"]) == (422, "INVALID_FIELDS")
    assert [(error["field"], error["message"]) for error in answer.json["errors"]] == errors
    assert rooms.asked == []


async def test_listing_rooms(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = rooms_pb2.ListRoomsResponse(items=[ROOM], next_cursor="more")
    answer = await api.call("GET", "/rooms?limit=5&cursor=abc&q=%D1%82%D0%B8%D1%85%D0%BE")
    assert (answer.status, answer.json) == (200, {"items": [ROOM_JSON], "next_cursor": "more"})
    assert rooms.asked == [rooms_pb2.ListRoomsRequest(limit=5, cursor="abc", query="тихо")]


async def test_the_last_page_has_no_cursor(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = rooms_pb2.ListRoomsResponse()
    assert (await api.call("GET", "/rooms")).json == {"items": [], "next_cursor": None}
    assert rooms.asked == [rooms_pb2.ListRoomsRequest()]


@pytest.mark.parametrize(
    ("raw", "asked"), [("", 0), ("0", 0), ("20", 20), ("1000000", 10_000), ("9" * 5000, 10_000)]
)
async def test_a_limit_is_passed_on_or_clamped(api: Api, rooms: RecordedRooms, raw: str, asked: int) -> None:
    rooms.answer = rooms_pb2.ListRoomsResponse()
    assert (await api.call("GET", f"/rooms?limit={raw}")).status == 200
    assert rooms.asked == [rooms_pb2.ListRoomsRequest(limit=asked)]


@pytest.mark.parametrize("raw", ["-1", "ten", "1.5", "%20", "0x10", "%D9%A3"])
@pytest.mark.parametrize("path", ["/rooms", f"/rooms/{ID}/chat"])
async def test_a_limit_that_is_none(api: Api, rooms: RecordedRooms, path: str, raw: str) -> None:
    answer = await api.call("GET", f"{path}?limit={raw}")
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "limit")
    assert rooms.asked == []


async def test_one_room(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = ROOM
    answer = await api.call("GET", f"/rooms/{ID.upper()}")
    assert (answer.status, answer.json) == (200, ROOM_JSON)
    assert rooms.asked == [rooms_pb2.GetRoomRequest(room_id=ID)]


async def test_joining_and_leaving(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = rooms_pb2.JoinRoomResponse(room_id=ID, peer_id="7")
    answer = await api.call("POST", f"/rooms/{ID}/join")
    assert (answer.status, answer.json) == (200, {"room_id": ID, "peer_id": "7"})
    rooms.answer = rooms_pb2.LeaveRoomResponse(status="left")
    answer = await api.call("POST", f"/rooms/{ID}/leave")
    assert (answer.status, answer.json) == (200, {"status": "left"})
    assert rooms.asked == [
        rooms_pb2.JoinRoomRequest(room_id=ID),
        rooms_pb2.LeaveRoomRequest(room_id=ID),
    ]


async def test_participants(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = rooms_pb2.ListParticipantsResponse(
        items=[
            rooms_pb2.Participant(
                user_id="7",
                display_name="Ann",
                role="owner",
                joined_at="2026-11-22T14:05:01Z",
                last_seen="2026-11-22T14:06:01Z",
                online=True,
            )
        ]
    )
    answer = await api.call("GET", f"/rooms/{ID}/participants")
    assert (answer.status, answer.json) == (
        200,
        {
            "items": [
                {
                    "user_id": "7",
                    "display_name": "Ann",
                    "avatar_url": "",
                    "role": "owner",
                    "joined_at": "2026-11-22T14:05:01Z",
                    "last_seen": "2026-11-22T14:06:01Z",
                    "online": True,
                    "muted": False,
                    "muted_by": None,
                    "hand_raised_at": None,
                }
            ]
        },
    )


async def test_who_is_no_member_has_no_role(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = rooms_pb2.Room(id=ID)
    assert (await api.call("GET", f"/rooms/{ID}")).json["role"] is None


async def test_what_is_not_given_stays_as_it_is(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = ROOM
    answer = await api.call("PATCH", f"/rooms/{ID}", {"name": "Тихая", "topic": None})
    assert (answer.status, answer.json) == (200, ROOM_JSON)
    assert rooms.asked == [rooms_pb2.UpdateRoomRequest(room_id=ID, name="Тихая")]


async def test_everything_of_a_room_can_be_changed_also_to_nothing(api: Api, rooms: RecordedRooms) -> None:
    await api.call(
        "PATCH",
        f"/rooms/{ID}",
        {
            "name": "",
            "topic": "",
            "visibility": "private",
            "max": 0,
            "locked": False,
            "slow_mode_s": 0,
            "listen_only": True,
            "owner_id": 8,
        },
    )
    changes = rooms_pb2.UpdateRoomRequest(
        room_id=ID,
        name="",
        topic="",
        visibility="private",
        max=0,
        locked=False,
        slow_mode_s=0,
        listen_only=True,
        owner_id="8",
    )
    assert rooms.asked == [changes]


async def test_a_change_of_the_wrong_kind(api: Api, rooms: RecordedRooms) -> None:
    answer = await api.call(
        "PATCH", f"/rooms/{ID}", {"locked": 1, "listen_only": "no", "slow_mode_s": "5", "owner_id": [8]}
    )
    assert_problem(answer, 422, "INVALID_FIELDS")
    assert {(error["field"], error["message"]) for error in answer.json["errors"]} == {
        ("locked", "must be true or false"),
        ("listen_only", "must be true or false"),
        ("slow_mode_s", "must be a whole number"),
        ("owner_id", "must be a string"),
    }
    assert rooms.asked == []


async def test_deleting_a_room(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = rooms_pb2.DeleteRoomResponse()
    answer = await api.call("DELETE", f"/rooms/{ID}")
    assert (answer.status, answer.text) == (204, "")
    assert rooms.asked == [rooms_pb2.DeleteRoomRequest(room_id=ID)]


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        *(("GET", ""), ("PATCH", ""), ("DELETE", "")),
        *(("POST", "/join"), ("POST", "/leave"), ("GET", "/participants")),
        *(("GET", "/chat"), ("GET", "/events"), ("GET", "/timer"), ("PUT", "/timer")),
        *(("POST", "/participants/7/kick"), ("POST", "/participants/7/role"), ("GET", "/bans")),
        *(("POST", "/invites"), ("GET", "/invites"), ("DELETE", "/invites/abc"), ("POST", "/tickets")),
    ],
)
@pytest.mark.parametrize("room", ["1", "not-a-uuid", ID + "0", "{" + ID + "}", ID.replace("-", "")])
async def test_what_is_no_uuid_is_no_room(
    api: Api, rooms: RecordedRooms, method: str, rest: str, room: str
) -> None:
    answer = await api.call(method, f"/rooms/{room}{rest}")
    assert (answer.status, answer.json["code"]) == (404, "ROOM_NOT_FOUND")
    assert rooms.asked == []


async def test_the_user_travels_with_every_call(api: Api, rooms: RecordedRooms) -> None:
    await api.call("GET", f"/rooms/{ID}", headers={"X-Request-ID": "abc-1"})
    assert rooms.tokens == [api.token]
    assert rooms.request_ids == ["abc-1"]


async def test_what_the_service_refuses_is_refused_in_its_words(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = Conflict("The room is full.", code="ROOM_FULL")
    answer = await api.call("POST", f"/rooms/{ID}/join")
    assert (answer.status, answer.json["code"], answer.json["detail"]) == (
        409,
        "ROOM_FULL",
        "The room is full.",
    )


async def test_an_idempotency_key_goes_to_rooms(api: Api, rooms: RecordedRooms) -> None:
    for headers, key in (({}, ""), ({"Idempotency-Key": "8e03978e-40d5"}, "8e03978e-40d5")):
        await api.call("POST", "/rooms", {"name": "Room"}, headers=headers)
        asked = rooms.asked[-1]
        assert isinstance(asked, rooms_pb2.CreateRoomRequest)
        assert asked.idempotency_key == key


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 129, "\u00fc"])
async def test_an_idempotency_key_that_is_none(api: Api, rooms: RecordedRooms, key: str) -> None:
    answer = await api.call("POST", "/rooms", {"name": "Room"}, headers={"Idempotency-Key": key})
    assert_problem(answer, 422, "INVALID_FIELDS")
    assert answer.json["errors"][0]["field"] == "Idempotency-Key"
    assert not rooms.asked
