"""The room's study timer: one for all, durable, in the log."""

import pytest

from common.errors import Conflict, Forbidden, InvalidFields, NotFound
from proto import rooms_pb2 as pb
from tests.rooms import kit


async def set_timer(rooms: kit.Rooms, room_id: str, user_id: int, action: str, **lengths: int) -> pb.Timer:
    request = pb.SetTimerRequest(room_id=room_id, action=action, **lengths)
    timer: pb.Timer = await rooms.call("SetTimer", request, user_id)
    return timer


async def test_one_starts_it_and_everybody_sees_it_also_who_comes_later(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    made = await set_timer(rooms, room_id, 2, "start", focus_s=600, break_s=60)
    assert (made.state, made.focus_s, made.break_s, made.set_by) == ("running", 600, 60, "2")
    assert (made.phase, made.round) == ("focus", 1)
    assert 0 < made.remaining_ms <= 600_000
    for socket in (ann, bob):
        event = await socket.until("timer")
        assert (event["seq"], event["payload"]["user_id"]) == (1, "2")
        assert event["payload"]["timer"] == {
            "state": "running",
            "focus_s": 600,
            "break_s": 60,
            "started_at_ms": made.started_at_ms,
            "elapsed_ms": 0,
        }
    later = await rooms.connect(room_id, 2)
    assert later.seen[-1]["payload"]["timer"]["started_at_ms"] == made.started_at_ms


async def test_it_is_kept(stack: kit.Stack) -> None:
    async with stack.running() as rooms:
        room_id = await rooms.create()
        made = await set_timer(rooms, room_id, 1, "start")
    rooms = await stack.start()
    found = await rooms.call("GetTimer", pb.GetTimerRequest(room_id=room_id), 1)
    assert (found.state, found.started_at_ms, found.set_by) == ("running", made.started_at_ms, "1")
    ann = await rooms.connect(room_id, 1)
    assert ann.seen[-1]["payload"]["timer"]["started_at_ms"] == made.started_at_ms


async def test_pausing_keeps_what_has_passed_and_stopping_does_not(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    never = await rooms.call("GetTimer", pb.GetTimerRequest(room_id=room_id), 1)
    assert (never.state, never.focus_s, never.break_s, never.set_by, never.phase) == (
        "stopped",
        1500,
        300,
        "",
        "",
    )
    await set_timer(rooms, room_id, 1, "start")
    await rooms.execute("UPDATE rooms.timers SET started_at = started_at - interval '10 minutes'")
    paused = await set_timer(rooms, room_id, 1, "pause")
    assert paused.state == "paused"
    assert 600_000 <= paused.elapsed_ms < 1500_000
    assert paused.remaining_ms == 1500_000 - paused.elapsed_ms
    stopped = await set_timer(rooms, room_id, 1, "stop")
    assert (stopped.state, stopped.elapsed_ms, stopped.round) == ("stopped", 0, 0)
    with pytest.raises(Conflict) as caught:
        await set_timer(rooms, room_id, 1, "pause")
    assert caught.value.code == "TIMER_STOPPED"


async def test_listeners_do_not_set_it_and_strangers_do_not_see_it(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    await rooms.join(room_id, 2)
    listener = pb.ModerateRequest(room_id=room_id, user_id="2", action="role", role="listener")
    await rooms.call("Moderate", listener, 1)
    for user_id, code in ((2, "LISTENERS_MAY_NOT"), (3, "NOT_A_MEMBER")):
        with pytest.raises(Forbidden) as caught:
            await set_timer(rooms, room_id, user_id, "start")
        assert caught.value.code == code
    with pytest.raises(Forbidden) as caught:
        await rooms.call("GetTimer", pb.GetTimerRequest(room_id=room_id), 3)
    assert caught.value.code == "NOT_A_MEMBER"
    private = await rooms.create(visibility="private")
    with pytest.raises(NotFound):
        await rooms.call("GetTimer", pb.GetTimerRequest(room_id=private), 2)


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ("action", {"action": "snooze"}),
        ("focus_s", {"action": "start", "focus_s": 59}),
        ("focus_s", {"action": "start", "focus_s": 14_401}),
        ("break_s", {"action": "start", "break_s": -1}),
        ("break_s", {"action": "start", "break_s": 3601}),
    ],
)
async def test_a_wrong_field_is_named(rooms: kit.Rooms, wrong: str, fields: dict[str, object]) -> None:
    room_id = await rooms.create()
    with pytest.raises(InvalidFields) as caught:
        await rooms.call("SetTimer", pb.SetTimerRequest(room_id=room_id, **fields), 1)  # type: ignore[arg-type]
    assert [error.field for error in caught.value.errors] == [wrong]
