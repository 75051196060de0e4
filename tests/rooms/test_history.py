"""The history: messages and their reactions, searched by words; what is unread; the events of the log."""

import json
from typing import Any
from uuid import UUID

import pytest

from common.errors import CwrkError, Forbidden, InvalidFields
from proto import rooms_pb2
from rooms import answers
from tests.rooms import kit


async def say(rooms: kit.Rooms, room_id: str, user_id: int, *texts: str) -> None:
    """Straight into the log."""
    for text in texts:
        row = (
            "WITH head AS ("
            " UPDATE rooms.heads SET last_seq = last_seq + 1 WHERE room_id = $1 RETURNING last_seq)"
            " INSERT INTO rooms.events (room_id, seq, user_id, text) SELECT $1, last_seq, $2, $3 FROM head"
        )
        await rooms.execute(row, UUID(room_id), user_id, text)


async def chat(rooms: kit.Rooms, room_id: str, user_id: int = 1, **asked: Any) -> Any:
    return await rooms.call("ListChat", rooms_pb2.ListChatRequest(room_id=room_id, **asked), user_id)


async def found(rooms: kit.Rooms, room_id: str, query: str) -> list[str]:
    return [item.text for item in (await chat(rooms, room_id, query=query)).items]


async def events(rooms: kit.Rooms, room_id: str, user_id: int = 1, **asked: Any) -> Any:
    return await rooms.call("ListEvents", rooms_pb2.ListEventsRequest(room_id=room_id, **asked), user_id)


async def unread(rooms: kit.Rooms, room_id: str, user_id: int) -> int:
    room = await rooms.call("GetRoom", rooms_pb2.GetRoomRequest(room_id=room_id), user_id)
    return int(room.unread)


async def test_words_are_found_in_all_their_forms_russian_and_english(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    texts = ["Читаю хорошую книгу", "книги лежат на столе", "Reading books at night", "a book", "nothing"]
    await say(rooms, room_id, 1, *texts)
    assert await found(rooms, room_id, "книга") == [texts[1], texts[0]]
    assert await found(rooms, room_id, "books") == [texts[3], texts[2]]
    assert await found(rooms, room_id, "reads") == [texts[2]]
    assert await found(rooms, room_id, "book -night") == [texts[3]]
    assert await found(rooms, room_id, '"хорошая книга"') == [texts[0]]


async def test_capitals_and_the_dots_of_yo_make_no_difference(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    texts = ["Доклад готов", "доклад готов", "ДОКЛАД", "Ёжик бежит", "елка", "READING"]
    await say(rooms, room_id, 1, *texts)
    for query in ("доклад", "Доклад", "ДОКЛАДА"):
        assert await found(rooms, room_id, query) == [texts[2], texts[1], texts[0]]
    assert await found(rooms, room_id, "ежик") == await found(rooms, room_id, "ЁЖИК") == [texts[3]]
    assert await found(rooms, room_id, "ёлка") == [texts[4]]
    assert await found(rooms, room_id, "read") == [texts[5]]


@pytest.mark.parametrize("query", ["the", "и не", "-", '"', "& | ! ( :*", "%", "\\"])
async def test_what_holds_no_word_finds_nothing(rooms: kit.Rooms, query: str) -> None:
    room_id = await rooms.create()
    await say(rooms, room_id, 1, "the thing и не то")
    assert await found(rooms, room_id, query) == []


async def test_what_is_found_comes_in_pages_whose_cursors_are_for_these_words(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    await say(rooms, room_id, 1, "book 1", "other", "book 2", "book 3")
    first = await chat(rooms, room_id, query="book", limit=2)
    assert [item.text for item in first.items] == ["book 3", "book 2"]
    second = await chat(rooms, room_id, query="book", limit=2, after=first.next_cursor)
    assert ([item.text for item in second.items], second.next_cursor) == (["book 1"], "")
    with pytest.raises(CwrkError) as caught:
        await chat(rooms, room_id, query="other", after=first.next_cursor)
    assert caught.value.code == "INVALID_CURSOR"


async def test_what_is_deleted_is_not_found_and_what_is_edited_by_its_new_words(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    for text in ("old words", "gone words"):
        await ann.send("chat", {"message": text})
        msg_id = (await ann.payload("chat_ack"))["msg_id"]
    await ann.send("chat_delete", {"msg_id": msg_id})
    await ann.send("chat_edit", {"msg_id": ann.seen[2]["payload"]["msg_id"], "message": "new words"})
    await ann.until("ack")
    await ann.until("ack")
    assert await found(rooms, room_id, "word") == ["new words"]
    assert await found(rooms, room_id, "old") == []
    gone = (await chat(rooms, room_id)).items[0]
    assert (gone.text, gone.deleted) == ("", True)


async def test_a_message_shows_who_put_which_emoji_in_their_order(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    await ann.send("chat", {"message": "hello"})
    msg_id = (await ann.payload("chat_ack"))["msg_id"]
    for socket, emoji in ((bob, "🎉"), (ann, "👍"), (ann, "🎉")):
        await socket.send("chat_reaction", {"msg_id": msg_id, "emoji": emoji})
        await socket.until("ack")
    (item,) = (await chat(rooms, room_id)).items
    assert [(r.emoji, list(r.user_ids)) for r in item.reactions] == [("🎉", ["2", "1"]), ("👍", ["1"])]


async def test_unread_is_what_others_said_and_did_not_take_back(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    ann, bob = await rooms.enter(room_id, 1, 2)
    for text in ("one", "two", "three"):
        await ann.send("chat", {"message": text})
        last = await ann.payload("chat_ack")
    await bob.send("chat_reaction", {"msg_id": last["msg_id"], "emoji": "👍"})
    await bob.until("ack")
    assert (await unread(rooms, room_id, 1), await unread(rooms, room_id, 2)) == (0, 3)
    await ann.send("chat_delete", {"msg_id": last["msg_id"]})
    await ann.until("ack")
    assert await unread(rooms, room_id, 2) == 2
    await bob.send("chat", {"message": "mine", "client_msg_id": "m"})  # moves nobody's marker
    await bob.until("chat_ack")
    assert (await unread(rooms, room_id, 1), await unread(rooms, room_id, 2)) == (1, 2)
    await rooms.execute(
        "INSERT INTO rooms.events (room_id, seq, user_id, text) SELECT $1, 100 + n, 1, n::text"
        " FROM generate_series(1, 150) n",
        UUID(room_id),
    )
    assert await unread(rooms, room_id, 2) == 100


async def test_events_are_the_frames_of_the_websocket(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    (ann,) = await rooms.enter(room_id, 1)
    await ann.send("chat", {"message": "hello"})
    said = await ann.until("chat")
    await ann.send("chat_reaction", {"msg_id": said["payload"]["msg_id"], "emoji": "👍"})
    reacted = await ann.until("chat_reaction")
    answer = await events(rooms, room_id)
    assert [json.loads(frame) for frame in answer.frames] == [said, reacted]
    assert (answer.last_seq, answer.epoch) == (2, ann.seen[0]["payload"]["epoch"])
    assert answer.complete
    later = await events(rooms, room_id, since_seq=1, limit=1)
    assert [json.loads(frame) for frame in later.frames] == [reacted]
    up_to_date = await events(rooms, room_id, since_seq=2)
    assert (list(up_to_date.frames), up_to_date.complete) == ([], True)


async def test_events_say_whether_older_ones_were_forgotten(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    await say(rooms, room_id, 1, "one", "two", "three")
    await rooms.execute("DELETE FROM rooms.events WHERE seq = 1")
    answer = await events(rooms, room_id)
    assert ([json.loads(frame)["seq"] for frame in answer.frames], answer.complete) == ([2, 3], False)
    assert (await events(rooms, room_id, since_seq=1)).complete
    await rooms.execute("DELETE FROM rooms.events")
    assert not (await events(rooms, room_id)).complete
    assert not (await events(rooms, room_id, since_seq=9)).complete  # never was


async def test_a_page_of_long_events_is_cut_where_the_answer_is_full(
    rooms: kit.Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MAX_BYTES", 5000)
    room_id = await rooms.create()
    await say(rooms, room_id, 1, *(letter * 1500 for letter in "abcd"))
    seen: list[int] = []
    while len(seen) < 4:
        answer = await events(rooms, room_id, since_seq=len(seen))
        assert answer.complete
        assert 1 <= len(answer.frames) <= 3
        seen += [json.loads(frame)["seq"] for frame in answer.frames]
    assert seen == [1, 2, 3, 4]


async def test_a_page_of_long_messages_is_cut_too_and_its_cursor_goes_on(
    rooms: kit.Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MAX_BYTES", 5000)
    room_id = await rooms.create()
    await say(rooms, room_id, 1, *(letter * 1500 for letter in "abcd"))
    texts: list[str] = []
    cursor = ""
    while not texts or cursor:
        page = await chat(rooms, room_id, after=cursor)
        assert 1 <= len(page.items) <= 3
        texts += [item.text[0] for item in page.items]
        cursor = page.next_cursor
    assert texts == ["d", "c", "b", "a"]


async def test_the_log_is_for_members(rooms: kit.Rooms) -> None:
    room_id = await rooms.create()
    for ask in (events, chat):
        with pytest.raises(Forbidden) as caught:
            await ask(rooms, room_id, user_id=2)
        assert caught.value.code == "NOT_A_MEMBER"
    with pytest.raises(InvalidFields):
        await events(rooms, room_id, since_seq=-1)
