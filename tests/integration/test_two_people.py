"""The main job, without a browser: two people register, meet in a room, write and talk."""

import asyncio

from tests.integration.conftest import NewStudent


async def test_they_write_and_read_the_same_history(student: NewStudent) -> None:
    anna, boris = await student("Анна"), await student("Boris")
    room = await anna.create_room("Algebra", max=2)
    async with anna.in_room(room), boris.in_room(room):
        assert (await anna.frame("peer_joined"))["display_name"] == "Boris"
        ack = await anna.say("привет", "1")
        heard = await boris.frame("chat")
        assert (heard["message"], heard["display_name"], heard["seq"]) == ("привет", "Анна", ack["seq"])
        again = await anna.say("привет", "1")
        assert (again["duplicate"], again["msg_id"]) == (True, ack["msg_id"])
        await boris.say("hello", "1")
        assert (await anna.frame("chat"))["message"] == "привет"
        assert (await anna.frame("chat"))["message"] == "hello"
        history = await boris.get(f"/rooms/{room}/chat")
        assert [(item["seq"], item["text"]) for item in history["items"]] == [(2, "hello"), (1, "привет")]
        there = await anna.get(f"/rooms/{room}/participants")
        assert {p["display_name"] for p in there["items"]} == {"Анна", "Boris"}


async def test_a_full_room_is_a_conflict(student: NewStudent) -> None:
    anna, boris = await student("Anna"), await student("Boris")
    room = await anna.create_room("Alone", max=1)
    async with anna.in_room(room):
        refusal = await boris.post(f"/rooms/{room}/join", status=409)
    assert refusal["code"] == "ROOM_FULL"


async def test_they_hear_each_other_and_a_mute_holds_on_the_server(student: NewStudent) -> None:
    anna, boris = await student("Anna"), await student("Boris")
    room = await anna.create_room("Talk")
    async with anna.in_room(room), boris.in_room(room):
        await anna.speak_up()
        await boris.speak_up()
        assert await anna.is_heard_by(boris)
        assert await boris.is_heard_by(anna)

        await anna.send("mute", muted=True)
        assert (await boris.frame("participant_updated"))["participant"]["muted"]
        assert await anna.is_unheard_by(boris)
        # Still muted after a new offer: who may speak is not for the client to say.
        await anna.speak_up()
        assert await anna.is_unheard_by(boris)

        await anna.send("mute", muted=False)
        assert await anna.is_heard_by(boris)


async def test_they_are_told_how_their_voices_do(student: NewStudent) -> None:
    anna, boris = await student("Anna"), await student("Boris")
    room = await anna.create_room("Talk")
    async with anna.in_room(room), boris.in_room(room):
        await anna.speak_up()
        await boris.speak_up()
        # The first is between two reports, which are 5 s apart.
        told = asyncio.create_task(anna.frame("quality", patience=30))
        while not told.done():
            assert await anna.is_heard_by(boris)
        quality = await told
        assert set(quality) == {"rtt_ms", "loss", "jitter_ms", "mos"}
        assert quality["rtt_ms"] is None  # Boris has said nothing that she could report of
        assert 0 <= quality["loss"] <= 1 <= quality["mos"] <= 4.5


async def test_who_leaves_is_gone_for_the_others_at_once(student: NewStudent) -> None:
    anna, boris = await student("Anna"), await student("Boris")
    room = await anna.create_room("Short")
    async with anna.in_room(room):
        async with boris.in_room(room):
            await anna.speak_up()
            await boris.speak_up()
            assert await boris.is_heard_by(anna)
            assert await boris.post(f"/rooms/{room}/leave") == {"status": "left"}
            assert (await anna.frame("peer_left"))["user_id"] == boris.id
            await boris.closed.wait()
            assert await boris.is_unheard_by(anna)
        there = await anna.get(f"/rooms/{room}/participants")
        assert [p["user_id"] for p in there["items"]] == [anna.id]
