"""What a bot does on an ordinary day, against the real servers."""

from __future__ import annotations

import pytest

from client import (
    Client,
    Closed,
    Message,
    MessageDeleted,
    MessageEdited,
    MessageReaction,
    Moderated,
    PersonJoined,
    PersonLeft,
    PersonUpdated,
    Reaction,
    Refused,
    RoomUpdated,
    SignedOut,
    TimerChanged,
    Typing,
    Unreachable,
)
from dev.ports import free_port
from tests.integration.client.conftest import NewClient
from tests.integration.client.hearing import hear, hear_log
from tests.integration.student import PASSWORD
from tests.services import Stack


async def test_two_meet_and_hear_what_is_said_in_one_order(person: NewClient) -> None:
    anna, boris = await person("Анна"), await person("Boris")
    info = await anna.create_room("Algebra", max_participants=2, topic="Groups")
    assert (info.name, info.topic, info.role, info.owner_id) == ("Algebra", "Groups", "owner", anna.user.id)
    async with anna.room(info.id) as hers:
        assert set(hers.people) == {anna.user.id}
        async with boris.room(info.id) as his:
            assert (await hear(hers, PersonJoined)).person.display_name == "Boris"
            assert set(his.people) == set(hers.people) == {anna.user.id, boris.user.id}
            assert his.settings.name == "Algebra"
            first = await hers.say("привет")
            second = await his.say("hello", reply_to=first.msg_id)
            for room in (hers, his):
                one, two = await hear(room, Message), await hear(room, Message)
                assert (one.seq, one.id, one.text, one.user_id) == (1, first.msg_id, "привет", anna.user.id)
                assert (two.seq, two.reply_to, two.display_name) == (second.seq, first.msg_id, "Boris")
                assert room.position is not None
                assert room.position.seq == 1  # with the second one the loop is not done
            again = await hers.say("привет", client_msg_id=first.client_msg_id)
            assert (again.duplicate, again.msg_id, again.seq) == (True, first.msg_id, first.seq)
            await his.leave()
            assert [event async for event in his.events] == []
        assert (await hear(hers, PersonLeft)).person.user_id == boris.user.id


async def test_everything_that_is_done_to_a_message_is_an_event(person: NewClient) -> None:
    anna = await person("Anna")
    info = await anna.create_room("Algebra")
    async with anna.room(info.id) as room:
        said = await room.say("helo")
        await room.edit(said.msg_id, "hello")
        await room.put("👍", said.msg_id)
        item = (await room.history())[0]
        assert (item.text, item.edited_at is not None) == ("hello", True)
        assert item.reactions == {"👍": (anna.user.id,)}
        gone = await room.delete(said.msg_id)
        events = await hear_log(room, gone.seq)
        assert [type(event) for event in events] == [Message, MessageEdited, MessageReaction, MessageDeleted]
        assert [event.seq for event in events] == [1, 2, 3, 4]
        assert (await room.history())[0].deleted


async def test_what_passes_is_told(person: NewClient) -> None:
    anna, boris = await person("Anna"), await person("Boris")
    info = await anna.create_room("Algebra")
    async with anna.room(info.id) as hers, boris.room(info.id) as his:
        await his.typing()
        assert (await hear(hers, Typing)).user_id == boris.user.id
        await his.react("🎉")
        assert await hear(hers, Reaction) == Reaction(boris.user.id, "🎉")
        await his.raise_hand()
        assert (await hear(hers, PersonUpdated)).person.hand_raised_at is not None
        said = await hers.say("one")
        assert (await boris.get_room(info.id)).unread == 1
        await his.read(said.seq)
        await his.raise_hand(False)
        await hear(hers, PersonUpdated)  # the server has come past the marker
        assert (await boris.get_room(info.id)).unread == 0


async def test_the_timer_and_the_settings_and_the_moderators_are_in_the_log(person: NewClient) -> None:
    anna, boris = await person("Anna"), await person("Boris")
    info = await anna.create_room("Algebra")
    async with anna.room(info.id) as hers, boris.room(info.id) as his:
        started = await his.start_timer(focus_s=1500, break_s=300)
        assert (started.state, started.focus_s) == ("running", 1500)
        phase, left = started.phase(started.started_at)
        assert (phase, left) == ("focus", 1500)
        assert (await his.pause_timer()).state == "paused"
        assert (await his.stop_timer()).state == "stopped"
        assert (await hers.timer()).state == "stopped"
        timers = [(await hear(hers, TimerChanged)).timer.state for _ in range(3)]
        assert timers == ["running", "paused", "stopped"]
        await anna.rest.call("PATCH", f"/rooms/{info.id}", {"listen_only": True})
        assert (await hear(his, RoomUpdated)).settings.listen_only
        assert not his.people[boris.user.id].may_speak
        assert his.people[anna.user.id].may_speak
        seq = await hers.moderate("role", boris.user.id, role="moderator")
        event = await hear(his, Moderated)
        assert (event.seq, event.action, event.role, event.by) == (seq, "role", "moderator", anna.user.id)
        assert (await hear(his, PersonUpdated)).person.role == "moderator"


async def test_who_is_sent_out_is_told_why_and_does_not_come_back(person: NewClient) -> None:
    anna, boris = await person("Anna"), await person("Boris")
    info = await anna.create_room("Algebra")
    async with anna.room(info.id) as hers, boris.room(info.id) as his:
        await hers.moderate("ban", boris.user.id, seconds=3600)
        with pytest.raises(Closed) as closed:
            await hear(his, RoomUpdated)
        assert (closed.value.close_code, closed.value.code) == (4003, "BANNED")
        with pytest.raises(Closed):
            await his.say("too late")
    with pytest.raises(Refused) as refused:
        await boris.room(info.id).__aenter__()
    assert (refused.value.status, refused.value.code) == (403, "BANNED")


async def test_refusals_have_the_servers_code(person: NewClient) -> None:
    anna, boris = await person("Anna"), await person("Boris")
    with pytest.raises(Refused) as wrong:
        await boris.login("nobody@example.org", "not that one")
    assert (wrong.value.status, wrong.value.code) == (401, "INVALID_CREDENTIALS")
    assert wrong.value.request_id
    with pytest.raises(Refused) as empty:
        await anna.create_room("")
    assert [field.field for field in empty.value.fields] == ["name"]
    info = await anna.create_room("Alone", max_participants=1)
    async with anna.room(info.id) as room:
        with pytest.raises(Refused) as full:
            await boris.room(info.id).__aenter__()
        assert full.value.code == "ROOM_FULL"
        with pytest.raises(Refused) as long:
            await room.say("a" * 4001)
        assert (long.value.code, long.value.retryable) == ("INVALID_FIELDS", False)
        said = await room.say("still here")
        assert said.seq == 1


async def test_rooms_are_found_and_an_invite_opens_one(person: NewClient) -> None:
    anna, boris = await person("Anna"), await person("Boris")
    info = await anna.create_room("Сопромат", visibility="private")
    assert [room.id for room in await anna.rooms(search="сопромат")] == [info.id]
    assert await boris.rooms(search="сопромат") == []
    invite = await anna.rest.call("POST", f"/rooms/{info.id}/invites")
    assert (await boris.accept_invite(invite["code"])).role == "member"
    assert [room.id for room in await boris.rooms(search="сопромат")] == [info.id]


async def test_whose_session_has_ended_logs_in_again(person: NewClient) -> None:
    anna = await person("Anna")
    token = await anna.rest.access_token()
    await anna.rest.call("POST", "/auth/logout")
    with pytest.raises(SignedOut):
        await anna.rest.renew(token)
    with pytest.raises(SignedOut):
        await anna.rooms()
    assert (await anna.login(anna.user.email, PASSWORD)).id == anna.user.id
    assert await anna.rooms(limit=1)


async def test_a_client_that_ends_logs_out(chain: Stack, person: NewClient) -> None:
    anna = await person("Anna")
    async with Client(chain.url) as other:
        await other.login(anna.user.email, PASSWORD)
        assert len((await anna.rest.call("GET", "/auth/sessions"))["items"]) == 2
    assert len((await anna.rest.call("GET", "/auth/sessions"))["items"]) == 1
    with pytest.raises(RuntimeError, match="the client is closed"):
        await other.rooms()


async def test_a_server_that_is_not_there_is_said_so() -> None:
    async with Client(f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(Unreachable):
            await client.login("anna@example.org", PASSWORD)
        with pytest.raises(SignedOut):
            await client.rooms()
