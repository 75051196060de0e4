"""PostgreSQL away: senders are told, sockets stay, nothing acked is lost, and it heals by itself."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from common.database import Connection
from proto import rooms_pb2 as pb
from rooms.core.effects import Outcome
from rooms.log.batches import Batch
from tests.rooms import kit
from tests.rooms.proxy import Proxy, proxied


@pytest.fixture
async def line(database_url: str) -> AsyncIterator[Proxy]:
    """The way to the database, which a test may cut."""
    async with proxied(database_url) as proxy:
        yield proxy


@pytest.fixture
async def behind(line: Proxy) -> AsyncIterator[kit.Rooms]:
    """A replica that reaches its database by `line`."""
    async with kit.neighbours(line.url) as stack, stack.running() as rooms:
        yield rooms


async def test_a_lost_database_and_its_return(line: Proxy, behind: kit.Rooms) -> None:
    room_id = await behind.create()
    ann, bob = await behind.enter(room_id, 1, 2)
    await ann.send("chat", {"message": "before"})
    await bob.until("chat")

    await line.cut()
    await ann.send("chat", {"message": "during", "client_msg_id": "d"}, id="1")
    problem = await ann.payload("error")
    assert (problem["retryable"], problem["ref_id"]) == (True, "1")
    assert problem["retry_after_ms"] > 0

    await line.restore()
    await ann.send("chat", {"message": "during", "client_msg_id": "d"})
    assert (await ann.payload("chat_ack"))["duplicate"] is False
    await bob.until("chat")
    assert kit.texts(bob.seen) == ["before", "during"]
    assert not [frame for frame in bob.seen if frame["type"] == "error"]


async def test_a_ticket_that_nobody_gave_is_refused_without_the_database(
    line: Proxy, behind: kit.Rooms
) -> None:
    room_id, other = await behind.create(), await behind.create()
    given = (await behind.call("CreateTicket", pb.CreateTicketRequest(room_id=room_id), 1)).ticket
    await line.cut()
    made_up = "x", "ё", given[:-1], "x" * len(given), given.swapcase()
    asked = [(room_id, text, (4001, "TICKET_INVALID")) for text in made_up]
    asked += [(other, given, (4001, "TICKET_INVALID")), (room_id, given, (4103, "DATABASE_UNAVAILABLE"))]
    for where, text, refusal in asked:
        page = await behind.dial(behind.url(where, ticket=text), headers={"Origin": "http://localhost:8080"})
        assert await page.closed() == refusal


async def test_a_commit_whose_answer_was_lost_is_found_in_the_log(line: Proxy, behind: kit.Rooms) -> None:
    room_id = await behind.create()
    ann, bob = await behind.enter(room_id, 1, 2)
    line.lose_next_commit(arrives=True)
    await ann.send("chat", {"message": "once", "client_msg_id": "x"})
    assert (await ann.payload("chat_ack"))["duplicate"] is False
    await ann.send("chat", {"message": "once", "client_msg_id": "x"})
    assert (await ann.payload("chat_ack"))["duplicate"] is True
    await ann.send("chat", {"message": "last"})
    await bob.until("chat")
    await bob.until("chat")
    assert kit.texts(bob.seen) == ["once", "last"]


async def test_a_commit_that_never_arrived_is_not_in_the_log(line: Proxy, behind: kit.Rooms) -> None:
    room_id = await behind.create()
    ann, bob = await behind.enter(room_id, 1, 2)
    line.lose_next_commit(arrives=False)
    await ann.send("chat", {"message": "lost", "client_msg_id": "x"})
    problem = await ann.payload("error")
    assert (problem["code"], problem["retryable"]) == ("NOT_SAVED", True)
    await ann.send("chat", {"message": "lost", "client_msg_id": "x"})
    assert (await ann.payload("chat_ack"))["seq"] == 1
    assert (await bob.until("chat"))["seq"] == 1


async def test_a_commit_that_nobody_can_look_up_has_an_unknown_outcome(
    line: Proxy, behind: kit.Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rooms.log.history.LOOK_UP_SECONDS", 0.5)
    room_id = await behind.create()
    ann, bob = await behind.enter(room_id, 1, 2)
    cutting: list[asyncio.Task[None]] = []
    line.lose_next_commit(arrives=True, then=lambda: cutting.append(asyncio.create_task(line.cut())))
    await ann.send("chat", {"message": "perhaps", "client_msg_id": "x"})
    problem = await ann.payload("error")
    assert (problem["code"], problem["retryable"]) == ("OUTCOME_UNKNOWN", True)

    await asyncio.gather(*cutting)
    await line.restore()
    await ann.send("chat", {"message": "perhaps", "client_msg_id": "x"})
    assert (await ann.payload("chat_ack"))["seq"] == 1
    assert (await bob.until("chat"))["seq"] == 1  # there once, whichever of the two it was


async def test_a_replica_cut_off_in_the_middle_of_a_commit_stops_nobody(
    line: Proxy, database_url: str
) -> None:
    """As when a cable is pulled: what writes is one statement, so nothing is locked before it arrives."""
    async with kit.neighbours(database_url) as stack:
        here, there = await stack.start(), await stack.start(database_url=line.url)
        room_id = await here.create()
        await here.join(room_id, 1, 2)
        ann, bob = await there.connect(room_id, 1), await here.connect(room_id, 2)
        line.stall_next_commit()
        await ann.send("chat", {"message": "late", "client_msg_id": "x"})
        await line.stalling()
        await bob.send("chat", {"message": "meanwhile", "client_msg_id": "y"})
        assert (await bob.payload("chat_ack"))["seq"] == 1
        line.go_on()
        answer = await ann.until("chat_ack", "error")  # an error where this took too long
        while answer["type"] == "error":
            assert answer["payload"]["retryable"]
            await ann.send("chat", {"message": "late", "client_msg_id": "x"})
            answer = await ann.until("chat_ack", "error")
        assert answer["payload"]["seq"] == 2


async def test_what_arrives_after_it_was_given_up_is_not_written(
    line: Proxy, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender was told that it is not saved, so it must not come in when the cable is back."""
    monkeypatch.setattr("rooms.log.history.BATCH_SECONDS", 2.0)
    async with kit.neighbours(database_url) as stack:
        here, there = await stack.start(), await stack.start(database_url=line.url)
        room_id = await here.create()
        await here.join(room_id, 1, 2)
        ann, bob = await there.connect(room_id, 1), await here.connect(room_id, 2)
        line.stall_next_commit()
        await ann.send("chat", {"message": "late"})
        await line.stalling()
        assert (await ann.payload("error"))["code"] == "NOT_SAVED"
        monkeypatch.undo()
        before = line.lines
        line.go_on()
        await bob.send("chat", {"message": "first"})
        assert (await bob.until("chat"))["seq"] == 1
        async with asyncio.timeout(kit.PATIENCE):
            while before == line.lines:  # noqa: ASYNC110  # the given up one ends when it was heard
                await asyncio.sleep(0.02)
        await bob.send("chat", {"message": "second"})
        await bob.until("chat")
        assert kit.texts(bob.seen) == ["first", "second"]


async def test_what_is_saved_is_acked_though_the_time_ends_with_the_commit(
    rooms: kit.Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Batch.run

    async def late(batch: Batch, connection: Connection) -> list[Outcome]:
        await run(batch, connection)
        raise TimeoutError

    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    monkeypatch.setattr(Batch, "run", late)
    await ann.send("chat", {"message": "just in time"})
    assert (await ann.payload("chat_ack"))["seq"] == 1
    assert (await bob.until("chat"))["seq"] == 1


async def test_nobody_sees_a_message_before_it_is_committed(rooms: kit.Rooms) -> None:
    """The head row is held from outside: while the batch cannot commit, there is no chat and no ack."""
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    outside = await asyncpg.connect(rooms.config.database_url)
    async with outside.transaction():
        await outside.execute("SELECT FROM rooms.heads FOR UPDATE")
        await ann.send("chat", {"message": "held"})
        await asyncio.gather(ann.send("ping"), bob.send("ping"))
        await asyncio.gather(ann.until("pong"), bob.until("pong"))
        assert "chat" not in {frame["type"] for frame in [*ann.seen, *bob.seen]}
    assert (await bob.payload("chat"))["message"] == "held"
    await ann.until("chat_ack")
    await outside.close()


async def test_a_batch_that_cannot_be_saved_reaches_nobody(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    outside = await asyncpg.connect(rooms.config.database_url)
    await outside.execute("ALTER TABLE rooms.events ADD CONSTRAINT broken CHECK (text <> 'bad') NOT VALID")
    await ann.send("chat", {"message": "bad"})
    assert (await ann.payload("error"))["code"] == "INTERNAL"
    await ann.send("chat", {"message": "good"})
    said = await bob.until("chat")
    assert (said["payload"]["message"], said["seq"]) == ("good", 1)
    await outside.close()
