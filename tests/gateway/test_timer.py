"""The study timer's route."""

from typing import Any

import pytest

from proto import rooms_pb2
from tests.gateway.running import Api, RecordedRooms
from tests.gateway.test_problems import assert_problem

ID = "0190c0de-0000-7000-8000-000000000001"


@pytest.fixture(autouse=True)
async def _signed_in(api: Api) -> None:
    await api.register()


async def test_a_timer_that_runs(api: Api, rooms: RecordedRooms) -> None:
    fields = {
        "state": "running",
        "focus_s": 1500,
        "break_s": 300,
        "started_at_ms": 1_795_000_000_000,
        "elapsed_ms": 0,
        "phase": "break",
        "remaining_ms": 299_000,
        "round": 2,
        "set_by": "7",
    }
    rooms.answer = rooms_pb2.Timer(**fields)  # type: ignore[arg-type]
    answer = await api.call("GET", f"/rooms/{ID}/timer")
    assert (answer.status, answer.json) == (200, fields)
    assert rooms.asked == [rooms_pb2.GetTimerRequest(room_id=ID)]


async def test_a_timer_that_was_never_set(api: Api, rooms: RecordedRooms) -> None:
    rooms.answer = rooms_pb2.Timer(state="stopped", focus_s=1500, break_s=300)
    answer = await api.call("GET", f"/rooms/{ID}/timer")
    assert (answer.json["phase"], answer.json["set_by"], answer.json["round"]) == (None, None, 0)


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"action": "pause"}, {"action": "pause"}),
        (
            {"action": "start", "focus_s": 3000, "break_s": 0},
            {"action": "start", "focus_s": 3000, "break_s": 0},
        ),
        ({"action": "start", "focus_s": None}, {"action": "start"}),
    ],
)
async def test_setting_it(api: Api, rooms: RecordedRooms, body: Any, asked: dict[str, Any]) -> None:
    rooms.answer = rooms_pb2.Timer(state="paused")
    answer = await api.call("PUT", f"/rooms/{ID}/timer", body)
    assert (answer.status, answer.json["state"]) == (200, "paused")
    assert rooms.asked == [rooms_pb2.SetTimerRequest(room_id=ID, **asked)]


@pytest.mark.parametrize("body", [{}, {"action": 1}, {"action": "start", "focus_s": "25"}])
async def test_a_field_of_the_wrong_kind(api: Api, rooms: RecordedRooms, body: Any) -> None:
    assert_problem(await api.call("PUT", f"/rooms/{ID}/timer", body), 422, "INVALID_FIELDS")
    assert rooms.asked == []
