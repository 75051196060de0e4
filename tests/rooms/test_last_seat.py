"""The last seat goes to exactly one, however many want it at once, and wherever they ask."""

import asyncio

from common.errors import Conflict
from proto import rooms_pb2 as pb
from tests.rooms import kit


async def test_a_hundred_joins_at_once_over_two_replicas_for_one_seat(stack: kit.Stack) -> None:
    pair = await stack.start(), await stack.start()
    room_id = await pair[0].create(max=4)
    await pair[0].join(room_id, 1, 2, 3)

    many = range(100, 200)
    answers = await asyncio.gather(
        *(pair[user_id % 2].join(room_id, user_id) for user_id in many), return_exceptions=True
    )
    got = [user_id for user_id, answer in zip(many, answers, strict=True) if answer is None]
    refused = [answer.code for answer in answers if isinstance(answer, Conflict)]
    assert (len(got), refused) == (1, ["ROOM_FULL"] * 99)
    answer = await pair[1].call("ListParticipants", pb.ListParticipantsRequest(room_id=room_id), 1)
    assert {int(seat.user_id) for seat in answer.items} == {1, 2, 3, *got}
