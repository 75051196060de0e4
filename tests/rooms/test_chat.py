"""Chat: one order for everybody, acks after the commit, and each message once."""

import asyncio

from tests.rooms import kit


async def test_a_message_reaches_everybody_the_sender_too_and_is_acked(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)

    await ann.send("chat", {"message": "hello", "client_msg_id": "a-1"}, id="7")

    said, ack = await ann.until("chat"), await ann.until("chat_ack")
    assert said == await bob.until("chat")
    assert said["seq"] == 1
    msg_id, ts_unix = said["payload"]["msg_id"], said["payload"]["ts_unix"]
    assert said["payload"] == {
        "room_id": room_id,
        "user_id": "1",
        "message": "hello",
        "msg_id": msg_id,
        "ts_unix": ts_unix,
        "display_name": "Person 1",
        "client_msg_id": "a-1",
        "reply_to": None,
        "edited_at_unix": None,
        "deleted": False,
    }
    assert ack["id"] == "7"
    assert ack["payload"] == {
        "msg_id": msg_id,
        "client_msg_id": "a-1",
        "seq": 1,
        "ts_unix": ts_unix,
        "duplicate": False,
    }


async def test_everybody_sees_one_order_without_gaps(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    people = await rooms.enter(room_id, 1, 2, 3, 4)

    async def talk(socket: kit.Socket, name: int) -> None:
        for count in range(10):
            await socket.send("chat", {"message": f"{name}: {count}"})

    await asyncio.gather(*(talk(socket, name) for name, socket in enumerate(people)))

    heard = [[await socket.until("chat") for _ in range(40)] for socket in people]
    assert [frame["seq"] for frame in heard[0]] == list(range(1, 41))
    assert all(kit.texts(frames) == kit.texts(heard[0]) for frames in heard)
    for name in range(4):
        assert [text for text in kit.texts(heard[0]) if text.startswith(f"{name}:")] == [
            f"{name}: {count}" for count in range(10)
        ]


async def test_the_same_client_msg_id_is_acked_again_and_said_once(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)

    await ann.send("chat", {"message": "once", "client_msg_id": "x"})
    first = await ann.payload("chat_ack")
    await ann.send("chat", {"message": "once", "client_msg_id": "x"})
    again = await ann.payload("chat_ack")
    assert again == {**first, "duplicate": True}

    await bob.send("chat", {"message": "mine", "client_msg_id": "x"})
    assert (await bob.payload("chat_ack"))["duplicate"] is False
    assert kit.texts(bob.seen) == ["once", "mine"]


async def test_a_repeat_in_the_same_batch_is_a_repeat_too(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    for _ in range(5):
        await ann.send("chat", {"message": "once", "client_msg_id": "x"})
    acks = [await ann.payload("chat_ack") for _ in range(5)]
    assert [ack["duplicate"] for ack in acks] == [False, True, True, True, True]
    assert {ack["msg_id"] for ack in acks} == {acks[0]["msg_id"]}


async def test_a_reply_names_a_message_of_the_room(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    await ann.send("chat", {"message": "question"})
    first = await ann.payload("chat_ack")
    await ann.send("chat", {"message": "answer", "reply_to": first["msg_id"]})
    assert (await ann.payload("chat"))["reply_to"] == first["msg_id"]

    stranger = "0198f000-0000-7000-8000-000000000000"
    await ann.send("chat", {"message": "answer", "reply_to": stranger}, id="9")
    problem = await ann.payload("error")
    assert (problem["code"], problem["ref_id"], problem["retryable"]) == ("REPLY_TO_UNKNOWN", "9", False)


async def test_characters_are_counted_as_people_count_them(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    await ann.send("chat", {"message": "📚" * 4000})
    assert (await ann.payload("chat"))["message"] == "📚" * 4000
    await ann.send("chat", {"message": "📚" * 4001, "client_msg_id": "long"}, wrong=True)
    problem = await ann.payload("error")
    assert (problem["code"], problem["ref_id"]) == ("INVALID_FIELDS", "long")
