"""What was said in a room: messages for people, and the log's events as they are."""

import pytest

from proto import rooms_pb2
from tests.gateway.running import Api, RecordedRooms

ID = "0190c0de-0000-7000-8000-000000000001"
ITEM = {
    "id": "m2",
    "room_id": ID,
    "user_id": "7",
    "display_name": "Ann",
    "text": "hello\n<b>",
    "created_at": "2026-11-22T14:05:01Z",
    "reply_to": None,
    "seq": 2,
    "edited_at": None,
    "deleted": False,
    "reactions": [{"emoji": "👍", "user_ids": ["8", "7"]}],
}


@pytest.fixture(autouse=True)
async def _signed_in(api: Api) -> None:
    await api.register()


async def test_the_history(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = rooms_pb2.ListChatResponse(
        items=[
            rooms_pb2.ChatItem(
                id="m2",
                room_id=ID,
                user_id="7",
                display_name="Ann",
                text="hello\n<b>",
                created_at="2026-11-22T14:05:01Z",
                seq=2,
                reactions=[rooms_pb2.Reactions(emoji="👍", user_ids=["8", "7"])],
            )
        ],
        next_cursor="older",
    )
    answer = await api.call("GET", f"/rooms/{ID}/chat?after=newer&limit=1")
    assert (answer.status, answer.json) == (200, {"items": [ITEM], "next_cursor": "older"})
    assert rooms.asked == [rooms_pb2.ListChatRequest(room_id=ID, after="newer", limit=1)]


async def test_words_are_passed_on(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = rooms_pb2.ListChatResponse()
    answer = await api.call("GET", f"/rooms/{ID}/chat?q=%D0%BA%D0%BD%D0%B8%D0%B3%D0%B0+book")
    assert answer.json == {"items": [], "next_cursor": None}
    assert rooms.asked == [rooms_pb2.ListChatRequest(room_id=ID, query="книга book")]


async def test_events_are_passed_on_byte_by_byte(api: Api, rooms: RecordedRooms) -> None:
    frames = ['{"type":"chat","seq":4,"payload":{"message":"да"}}', '{"type": "x",  "seq": 5, "payload": {}}']
    rooms.answer = rooms_pb2.ListEventsResponse(
        frames=[frame.encode() for frame in frames], last_seq=9, epoch="e", complete=True
    )
    answer = await api.call("GET", f"/rooms/{ID}/events?since_seq=3&limit=2")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.json == {
        "items": [
            {"type": "chat", "seq": 4, "payload": {"message": "да"}},
            {"type": "x", "seq": 5, "payload": {}},
        ],
        "last_seq": 9,
        "epoch": "e",
        "complete": True,
    }
    assert ",".join(frames) in answer.text
    assert rooms.asked == [rooms_pb2.ListEventsRequest(room_id=ID, since_seq=3, limit=2)]


async def test_without_new_events_there_is_still_an_answer(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = rooms_pb2.ListEventsResponse(last_seq=0, epoch="e", complete=False)
    answer = await api.call("GET", f"/rooms/{ID}/events")
    assert answer.json == {"items": [], "last_seq": 0, "epoch": "e", "complete": False}
    assert rooms.asked == [rooms_pb2.ListEventsRequest(room_id=ID)]


@pytest.mark.parametrize("raw", ["-1", "x", "1.5", "%D9%A3"])
async def test_a_seq_that_is_none(api: Api, rooms: RecordedRooms, raw: str) -> None:
    answer = await api.call("GET", f"/rooms/{ID}/events?since_seq={raw}")
    assert (answer.status, answer.json["errors"]) == (
        422,
        [{"field": "since_seq", "message": "must be a whole number, 0 or more"}],
    )
    assert rooms.asked == []


async def test_a_seq_beyond_all_numbers_is_a_large_one(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = rooms_pb2.ListEventsResponse()
    assert (await api.call("GET", f"/rooms/{ID}/events?since_seq={'9' * 5000}")).status == 200
    assert rooms.asked == [rooms_pb2.ListEventsRequest(room_id=ID, since_seq=2**53 - 1)]
