"""Edits, deletions and reactions: events of the same log, acked as messages are; and who may."""

from typing import Any
from uuid import UUID

import asyncpg

from tests.rooms import kit

NOBODY = "0198f000-0000-7000-8000-000000000000"


async def say(socket: kit.Socket, text: str) -> str:
    """The id of what was said."""
    await socket.send("chat", {"message": text})
    return str((await socket.payload("chat_ack"))["msg_id"])


async def refused(socket: kit.Socket, kind: str, payload: dict[str, Any]) -> str:
    await socket.send(kind, payload)
    return str((await socket.payload("error"))["code"])


async def everything(rooms: kit.Rooms) -> str:
    """All that the tables of the log hold, as text."""
    connection = await asyncpg.connect(rooms.config.database_url)
    rows = await connection.fetch("SELECT e::text FROM rooms.events e")
    await connection.close()
    return "\n".join(row[0] for row in rows)


async def test_an_edit_is_an_event_for_everybody_and_acked(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    msg_id = await say(ann, "helo")
    await ann.send("chat_edit", {"msg_id": msg_id, "message": "hello", "client_msg_id": "e"}, id="7")
    edited, ack = await ann.until("chat_edited"), await ann.until("ack")
    assert ack == {
        "type": "ack",
        "id": "7",
        "payload": {"seq": 2, "client_msg_id": "e", "duplicate": False},
    }
    assert edited == await bob.until("chat_edited")
    assert edited["seq"] == 2
    assert {**edited["payload"], "ts_unix": 0} == {
        "room_id": room_id,
        "user_id": "1",
        "msg_id": msg_id,
        "message": "hello",
        "ts_unix": 0,
    }
    await ann.send("chat_edit", {"msg_id": msg_id, "message": "other", "client_msg_id": "e"})
    assert await ann.payload("ack") == {"seq": 2, "client_msg_id": "e", "duplicate": True}


async def test_who_comes_back_finds_the_text_as_it_is_now(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    epoch = ann.seen[0]["payload"]["epoch"]
    msg_id = await say(ann, "one")
    for text in ("two", "three"):
        await ann.send("chat_edit", {"msg_id": msg_id, "message": text})
        await ann.until("ack")
    again = await rooms.connect(room_id, 1, epoch=epoch, last_seq=0)
    await again.until("resumed")
    frames = [frame for frame in again.seen if "seq" in frame]
    assert [(f["seq"], f["type"], f["payload"]["message"]) for f in frames] == [
        (1, "chat", "three"),
        (2, "chat_edited", "three"),
        (3, "chat_edited", "three"),
    ]
    assert frames[0]["payload"]["edited_at_unix"] >= frames[0]["payload"]["ts_unix"]


async def test_a_deleted_text_is_gone_everywhere(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    epoch = ann.seen[0]["payload"]["epoch"]
    msg_id = await say(ann, "secret one")
    await ann.send("chat_edit", {"msg_id": msg_id, "message": "secret two"})
    await ann.until("ack")
    await bob.send("chat_reaction", {"msg_id": msg_id, "emoji": "🤫"})
    await bob.until("ack")
    assert "secret" in await everything(rooms)
    await ann.send("chat_delete", {"msg_id": msg_id})
    deleted = await bob.until("chat_deleted")
    assert (deleted["seq"], deleted["payload"]["msg_id"]) == (4, msg_id)
    assert "secret" not in await everything(rooms)

    again = await rooms.connect(room_id, 2, epoch=epoch, last_seq=0)
    await again.until("resumed")
    said, edited, *_ = [frame["payload"] for frame in again.seen if "seq" in frame]
    assert (said["message"], said["deleted"], edited["message"]) == ("", True, "")

    assert await refused(ann, "chat_edit", {"msg_id": msg_id, "message": "back"}) == "MESSAGE_DELETED"
    assert await refused(bob, "chat_reaction", {"msg_id": msg_id, "emoji": "👍"}) == "MESSAGE_DELETED"
    await ann.send("chat_delete", {"msg_id": msg_id})
    assert await ann.payload("ack") == {"seq": 4, "client_msg_id": None, "duplicate": True}


async def test_who_may(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()  # it is Ann's
    ann, bob, eve = await rooms.enter(room_id, 1, 2, 3)
    anns, bobs = await say(ann, "Ann's"), await say(bob, "Bob's")
    assert await refused(bob, "chat_edit", {"msg_id": anns, "message": "x"}) == "NOT_YOURS"
    assert await refused(ann, "chat_edit", {"msg_id": bobs, "message": "x"}) == "NOT_YOURS"
    assert await refused(eve, "chat_delete", {"msg_id": bobs}) == "NOT_YOURS"
    assert await refused(ann, "chat_delete", {"msg_id": NOBODY}) == "MESSAGE_NOT_FOUND"
    await ann.send("chat_delete", {"msg_id": bobs})
    assert (await bob.payload("chat_deleted"))["user_id"] == "1"
    await rooms.execute("UPDATE rooms.members SET role = 'moderator' WHERE user_id = 3")
    await eve.send("chat_delete", {"msg_id": anns})
    await eve.until("ack")


async def test_another_rooms_messages_are_not_there(rooms: kit.Rooms) -> None:
    one, other = await rooms.create(), await rooms.create()
    (ann,), (too,) = await rooms.enter(one, 1), await rooms.enter(other, 1)
    msg_id = await say(ann, "here")
    assert await refused(too, "chat_edit", {"msg_id": msg_id, "message": "x"}) == "MESSAGE_NOT_FOUND"
    assert await refused(too, "chat", {"message": "x", "reply_to": msg_id}) == "REPLY_TO_UNKNOWN"


async def test_reactions_are_put_and_taken_by_their_owner(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    msg_id = await say(ann, "hello")
    await bob.send("chat_reaction", {"msg_id": msg_id, "emoji": "👍", "client_msg_id": "r"})
    reacted = await ann.until("chat_reaction")
    assert {**reacted["payload"], "ts_unix": 0} == {
        "room_id": room_id,
        "user_id": "2",
        "msg_id": msg_id,
        "emoji": "👍",
        "added": True,
        "ts_unix": 0,
    }
    assert reacted["seq"] == 2
    await bob.until("ack")
    await bob.send("chat_reaction", {"msg_id": msg_id, "emoji": "👍"})
    assert await bob.payload("ack") == {"seq": 2, "client_msg_id": None, "duplicate": True}
    await ann.send("chat_reaction", {"msg_id": msg_id, "emoji": "👍", "added": False})  # not hers
    assert (await ann.payload("ack"))["duplicate"] is True
    await bob.send("chat_reaction", {"msg_id": msg_id, "emoji": "👍", "added": False})
    assert (await ann.payload("chat_reaction"))["added"] is False
    assert await bob.payload("ack") == {"seq": 3, "client_msg_id": None, "duplicate": False}


async def test_what_changed_nothing_is_judged_anew_when_it_is_sent_again(rooms: kit.Rooms) -> None:
    ann, bob = await rooms.enter(await rooms.create(), 1, 2)
    about = {"msg_id": await say(ann, "hi"), "emoji": "👍"}
    acks = []
    for changes in ({}, {"client_msg_id": "x"}, {"added": False}, {"client_msg_id": "x"}):
        await bob.send("chat_reaction", {**about, **changes})
        acks.append(await bob.payload("ack"))
    assert [(ack["seq"], ack["duplicate"]) for ack in acks] == [(2, False), (2, True), (3, False), (4, False)]


async def test_who_is_no_member_any_more_writes_nothing(rooms: kit.Rooms) -> None:
    """Behind the service's back, as a kick on another replica of which no notice has come."""
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    await rooms.execute("DELETE FROM rooms.members WHERE user_id = 2")
    assert await refused(bob, "chat", {"message": "still here?"}) == "NOT_A_MEMBER"
    await ann.send("chat", {"message": "no"})
    assert (await ann.until("chat"))["seq"] == 1


async def test_slow_mode_holds_members_back_but_no_repeats(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    await rooms.execute("UPDATE rooms.rooms SET slow_mode_s = 3600 WHERE id = $1", UUID(room_id))
    await bob.send("chat", {"message": "one", "client_msg_id": "x"})
    await bob.until("chat_ack")
    await bob.send("chat", {"message": "two", "client_msg_id": "y"})
    problem = await bob.payload("error")
    assert (problem["code"], problem["ref_id"], problem["retryable"]) == ("SLOW_MODE", "y", True)
    assert 0 < problem["retry_after_ms"] <= 3600_000
    await bob.send("chat", {"message": "one", "client_msg_id": "x"})
    assert (await bob.payload("chat_ack"))["duplicate"] is True
    for text in ("a", "b"):  # the owner waits for nobody
        await say(ann, text)


async def test_nobody_sheds_slow_mode_by_leaving(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    _, bob = await rooms.enter(room_id, 1, 2)
    await rooms.execute("UPDATE rooms.rooms SET slow_mode_s = 3600 WHERE id = $1", UUID(room_id))
    await bob.send("chat", {"message": "one"})
    await bob.until("chat_ack")
    await rooms.leave(room_id, 2)
    await rooms.join(room_id, 2)
    assert await refused(await rooms.connect(room_id, 2), "chat", {"message": "two"}) == "SLOW_MODE"


async def test_a_draft_that_cannot_be_saved_does_not_fail_its_neighbours(rooms: kit.Rooms) -> None:
    """One batch, of which the database refuses one row: the head is held until all three wait."""
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    outside = await asyncpg.connect(rooms.config.database_url)
    await outside.execute("ALTER TABLE rooms.events ADD CONSTRAINT broken CHECK (text <> 'bad') NOT VALID")
    async with outside.transaction():
        await outside.execute("SELECT FROM rooms.heads FOR UPDATE")
        for text in ("first", "good", "bad", "too"):
            await ann.send("chat", {"message": text, "client_msg_id": text})
        await ann.send("ping")
        await ann.until("pong")
    await outside.close()
    problem = await ann.payload("error")
    assert (problem["code"], problem["ref_id"]) == ("INTERNAL", "bad")
    heard = [await bob.until("chat") for _ in range(3)]
    assert kit.texts(heard) == ["first", "good", "too"]
    assert [frame["seq"] for frame in heard] == [1, 2, 3]


async def test_two_replicas_at_once_lose_nothing_and_share_one_order(
    rooms: kit.Rooms, stack: kit.Stack
) -> None:
    """Where one finds the head moved by the other, it decides anew: once each, and one like per person."""
    other = await stack.start()
    room_id = await rooms.create()
    await rooms.join(room_id, 1, 2)
    ann, bob = await rooms.connect(room_id, 1), await other.connect(room_id, 2)
    msg_id = await say(ann, "like this")
    for socket in (ann, bob):
        for count in range(8):
            await socket.send("chat_reaction", {"msg_id": msg_id, "emoji": "👍", "added": count % 2 == 0})
    for socket in (ann, bob):
        acks = [await socket.payload("ack") for _ in range(8)]
        assert not any(ack["duplicate"] for ack in acks)
    while ann.seen[-1].get("seq") != 17:
        await ann.until("chat_reaction")
    seqs = [frame["seq"] for frame in ann.seen if "seq" in frame]
    assert seqs == list(range(1, 18))
