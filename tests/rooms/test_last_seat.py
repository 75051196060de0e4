"""The last seat goes to exactly one, however many want it at once."""

import asyncio

from common.errors import Conflict
from proto import rooms_pb2 as pb
from tests.rooms import kit


async def test_a_hundred_joins_at_once_for_one_seat(rooms: kit.Rooms) -> None:
    room_id = await rooms.create(max=4)
    await rooms.join(room_id, 1, 2, 3)

    many = range(100, 200)
    answers = await asyncio.gather(*(rooms.join(room_id, u) for u in many), return_exceptions=True)
    got = [user_id for user_id, answer in zip(many, answers, strict=True) if answer is None]
    refused = [answer.code for answer in answers if isinstance(answer, Conflict)]
    assert (len(got), refused) == (1, ["ROOM_FULL"] * 99)
    answer = await rooms.call("ListParticipants", pb.ListParticipantsRequest(room_id=room_id), 1)
    assert {int(seat.user_id) for seat in answer.items} == {1, 2, 3, *got}
