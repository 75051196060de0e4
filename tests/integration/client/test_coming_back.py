"""Across lost connections: each event of the log once, in order, and what was said is there once."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import pytest

from client import HistoryChanged, Message, Missed, Position, Room, Unanswered, Unreachable
from rooms.core.feed import FARTHEST_REPLAY
from tests.integration.client.conftest import NewClient
from tests.integration.client.hearing import PATIENCE, hear, hear_log, lose_the_websocket
from tests.services import Stack


async def texts(room: Room, up_to: int) -> list[str]:
    return [event.text for event in await hear_log(room, up_to) if isinstance(event, Message)]


async def test_what_is_said_while_the_websocket_is_lost_is_there_once_and_in_order(person: NewClient) -> None:
    anna, boris = await person("Anna"), await person("Boris")
    info = await anna.create_room("Algebra")
    async with anna.room(info.id) as hers, boris.room(info.id) as his:
        await hers.say("before")
        for room in (hers, his):
            await lose_the_websocket(room)
        meanwhile = [asyncio.create_task(his.say(f"meanwhile {number}")) for number in range(3)]
        await his.react("🎉")  # waits for the next one
        async with asyncio.timeout(PATIENCE):
            acks = await asyncio.gather(*meanwhile)
        assert [ack.seq for ack in acks] == [2, 3, 4]
        after = await hers.say("after")
        expected = ["before", "meanwhile 0", "meanwhile 1", "meanwhile 2", "after"]
        assert await texts(hers, after.seq) == await texts(his, after.seq) == expected


async def test_what_cannot_be_told_in_time_is_an_error(person: NewClient) -> None:
    anna = await person("Anna")
    info = await anna.create_room("Algebra")
    async with anna.room(info.id) as room:
        anna.rest.deadline = 0.2  # less than it takes to come back
        await lose_the_websocket(room)
        with pytest.raises(Unreachable):
            await room.react("🎉")
        anna.rest.deadline = PATIENCE
        with pytest.raises(Unanswered) as unanswered:
            await room.say("too slow", deadline=0)
        said = await room.say("too slow", client_msg_id=unanswered.value.client_msg_id)
        assert (await room.history())[0].id == said.msg_id


async def test_a_bot_that_was_away_goes_on_where_it_was(person: NewClient) -> None:
    anna, bot = await person("Anna"), await person("Bot")
    info = await anna.create_room("Algebra")
    async with anna.room(info.id) as hers:
        async with bot.room(info.id) as room:
            first = await hers.say("first")
            assert await texts(room, first.seq) == ["first"]
            position = room.position
        assert position is not None
        assert position.seq == first.seq - 1  # it was not done with it
        await hers.say("second")
        async with bot.room(info.id, since=position) as room:
            third = await hers.say("third")
            assert await texts(room, third.seq) == ["first", "second", "third"]


async def test_who_hears_slowly_loses_nothing(person: NewClient) -> None:
    anna, boris = await person("Anna"), await person("Boris")
    info = await anna.create_room("Algebra")
    async with anna.room(info.id) as hers, boris.room(info.id) as his:
        his._conversation.inbox.most = 3  # as if it were 1,000 events behind
        for number in range(9):
            last = await hers.say(str(number))
        async with asyncio.timeout(PATIENCE):
            while his._conversation._follower.heard < last.seq:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert not his._conversation._follower.live
        assert await texts(his, last.seq) == [str(number) for number in range(9)]
        live = await hers.say("live again")
        assert await texts(his, live.seq) == ["live again"]


async def test_what_the_server_cannot_replay_is_read_by_pages(chain: Stack, person: NewClient) -> None:
    anna, bot = await person("Anna"), await person("Bot")
    info = await anna.create_room("Algebra")
    async with bot.room(info.id) as room:
        position = room.position
    assert position is not None
    await fill(chain, info.id, anna.user.id, FARTHEST_REPLAY + 500)
    async with bot.room(info.id, since=position) as room, anna.room(info.id) as hers:
        last = await hers.say("the last")
        assert last.seq == FARTHEST_REPLAY + 501
        events = await hear_log(room, last.seq)
        assert [event.seq for event in events] == list(range(1, last.seq + 1))


async def test_what_is_forgotten_is_said_to_be_missed(chain: Stack, person: NewClient) -> None:
    anna = await person("Anna")
    info = await anna.create_room("Algebra")
    await fill(chain, info.id, anna.user.id, FARTHEST_REPLAY + 500)
    await execute(chain, "DELETE FROM rooms.events WHERE room_id = $1 AND seq <= 2000", UUID(info.id))
    epoch = (await anna.rest.call("GET", f"/rooms/{info.id}/events"))["epoch"]
    async with anna.room(info.id, since=Position(epoch, 7)) as room:
        assert await hear(room, Missed) == Missed(7, 2000)
        assert (await hear(room, Message)).seq == 2001
        assert room.position == Position(epoch, 2000)


async def test_a_restored_backup_is_another_history(chain: Stack, person: NewClient) -> None:
    anna = await person("Anna")
    info = await anna.create_room("Algebra")
    async with anna.room(info.id) as room:
        said = await room.say("before")
        await hear(room, Message)
        await execute(chain, "UPDATE rooms.deployment SET epoch = gen_random_uuid()")
        changed = await hear(room, HistoryChanged)
        assert changed.last_seq == said.seq
        after = await room.say("after")
        assert (await hear(room, Message)).seq == after.seq == said.seq + 1
        assert room.position == Position(changed.epoch, said.seq)


async def test_a_token_is_renewed_while_one_is_in_a_room(chain: Stack, person: NewClient) -> None:
    anna = await person("Anna")
    info = await anna.create_room("Algebra")
    async with anna.room(info.id) as room:
        tokens = anna.rest.tokens
        assert tokens is not None
        tokens.renew_at = 0.0  # as if its end were near
        async with asyncio.timeout(PATIENCE):
            renewed, also = await asyncio.gather(anna.rest.access_token(), anna.rest.access_token())
        assert renewed == also != tokens.access
        await room.say("still here")
        assert anna.rest.tokens is not None
        assert anna.rest.tokens.access == renewed


async def fill(chain: Stack, room_id: str, user_id: str, count: int) -> None:
    """So many messages, said at once by somebody's other client."""
    async with asyncio.timeout(PATIENCE):
        await execute(
            chain,
            "WITH head AS (UPDATE rooms.heads SET last_seq = last_seq + $3 WHERE room_id = $1 "
            "RETURNING last_seq - $3 AS before) "
            "INSERT INTO rooms.events (room_id, seq, user_id, text) "
            "SELECT $1, before + number, $2, 'number ' || number FROM head, generate_series(1, $3) AS number",
            UUID(room_id),
            int(user_id),
            count,
        )


async def execute(chain: Stack, statement: str, *arguments: object) -> None:
    connection = await asyncpg.connect(chain.database.url())
    try:
        await connection.execute(statement, *arguments)
    finally:
        await connection.close()
