"""The log over REST is the one of the websocket."""

from tests import frames
from tests.integration.conftest import NewStudent

TYPES = ("chat", "chat", "chat_reaction", "chat_deleted", "timer", "room_updated", "moderated")


async def test_events_are_the_frames_of_the_websocket(student: NewStudent) -> None:
    anna, boris = await student("Анна"), await student("Boris")
    room = await anna.create_room("Algebra")
    async with anna.in_room(room), boris.in_room(room):
        said = await anna.say("привет", "1")
        gone = await anna.say("oops", "2")
        await boris.send("chat_reaction", msg_id=said["msg_id"], emoji="👋")
        await boris.frame("ack")
        await anna.send("chat_delete", msg_id=gone["msg_id"])
        await anna.frame("ack")
        timer = await boris.call("PUT", f"/rooms/{room}/timer", {"action": "start", "focus_s": 600})
        assert (timer["state"], timer["focus_s"], timer["set_by"]) == ("running", 600, boris.id)
        await anna.call("PATCH", f"/rooms/{room}", {"topic": "Matrices"})
        done = await anna.post(f"/rooms/{room}/participants/{boris.id}/mute")

        heard = [await boris.either(kind) for kind in TYPES]
        assert [frame["seq"] for frame in heard] == [1, 2, 3, 4, 5, 6, 7]
        assert heard[-1]["seq"] == done["seq"]

        log = await boris.get(f"/rooms/{room}/events")
        assert (log["last_seq"], log["complete"]) == (7, True)
        for event in log["items"]:
            frames.SENT.check(event)
        # What was deleted is told as it is now; everything else as it was heard.
        assert [(each["type"], each["seq"]) for each in log["items"]] == [
            (frame["type"], frame["seq"]) for frame in heard
        ]
        assert (log["items"][1]["payload"]["deleted"], log["items"][1]["payload"]["message"]) == (True, "")
        assert [each for each in log["items"] if each["seq"] != gone["seq"]] == [
            frame for frame in heard if frame["seq"] != gone["seq"]
        ]
        later = await boris.get(f"/rooms/{room}/events?since_seq=3&limit=2")
        assert [event["seq"] for event in later["items"]] == [4, 5]
        assert later["epoch"] == log["epoch"]

        found = (await boris.get(f"/rooms/{room}/chat?q=привет"))["items"]
        assert [(item["text"], item["reactions"]) for item in found] == [
            ("привет", [{"emoji": "👋", "user_ids": [boris.id]}])
        ]
