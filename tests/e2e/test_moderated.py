"""What moderators do, on the page of the one it is done to."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import TONE_HZ, NewPerson
from tests.e2e.pictures import picture
from tests.integration.student import Student
from tests.services import Stack


async def user_id_of(owner: Student, room: str, name: str) -> str:
    people = (await owner.get(f"/rooms/{room}/participants"))["items"]
    return str(next(each["user_id"] for each in people if each["display_name"] == name))


@pytest.mark.parametrize("width", [1100, 360])
async def test_a_listener_is_told_and_a_room_renames_itself(
    new_person: NewPerson, stack: Stack, width: int
) -> None:
    async with Student.registered(stack.url, stack.ws_url, "Vera") as vera:
        room = await vera.create_room("Algebra")
        async with vera.in_room(room):
            tom = await new_person("Tom", viewport={"width": width, "height": 740})
            await tom.register_and_enter(f"/r/{room}")
            await vera.call("PATCH", f"/rooms/{room}", {"name": "Geometry", "topic": "Circles"})
            await expect(tom.page.get_by_role("heading", name="Geometry")).to_be_visible()
            await expect(tom.page.locator(".room-title")).to_contain_text("Circles")

            somebody = f"/rooms/{room}/participants/{await user_id_of(vera, room, 'Tom')}"
            await tom.join_voice()
            await vera.call("POST", f"{somebody}/role", {"role": "listener"})
            said = tom.page.get_by_text("In this room you can listen and write, but not speak.")
            await expect(said).to_be_visible()
            await expect(tom.page.get_by_role("button", name="Listening only")).to_be_disabled()
            await picture(tom.page, f"listener-{width}")
            await vera.call("POST", f"{somebody}/role", {"role": "member"})
            await expect(said).to_have_count(0)
            await expect(tom.page.get_by_role("button", name="Mute", exact=True)).to_be_enabled()
        assert tom.complaints == []


async def test_who_may_speak_again_is_heard_without_a_new_join(new_person: NewPerson, stack: Stack) -> None:
    async with Student.registered(stack.url, stack.ws_url, "Vera") as vera:
        room = await vera.create_room("Algebra")
        await vera.post(f"/rooms/{room}/join")
        ann, tom = await new_person("Ann"), await new_person("Tom")
        await ann.register_and_enter(f"/r/{room}")
        await tom.register_and_enter(f"/r/{room}")
        somebody = f"/rooms/{room}/participants/{await user_id_of(vera, room, 'Tom')}"
        await vera.call("POST", f"{somebody}/role", {"role": "listener"})
        await asyncio.gather(ann.join_voice(), tom.join_voice())
        await tom.hears(TONE_HZ)
        await ann.hears_nothing()
        await vera.call("POST", f"{somebody}/role", {"role": "member"})
        await ann.hears(TONE_HZ)
        await vera.call("POST", f"{somebody}/role", {"role": "listener"})
        await ann.hears_nothing()
        assert tom.frames_sent("offer") == 1
        assert tom.complaints == ann.complaints == []


async def test_in_slow_mode_a_message_waits_and_says_so(new_person: NewPerson, stack: Stack) -> None:
    async with Student.registered(stack.url, stack.ws_url, "Vera") as vera:
        room = await vera.create_room("Algebra")
        await vera.post(f"/rooms/{room}/join")
        await vera.call("PATCH", f"/rooms/{room}", {"slow_mode_s": 3600})
        tom = await new_person("Tom")
        await tom.register_and_enter(f"/r/{room}")
        await tom.say("first")
        await tom.reads("first")
        await tom.say("second")
        await expect(
            tom.page.get_by_text("This room is in slow mode: your message goes out in")
        ).to_be_visible()
        await expect(tom.page.locator(".message.pending")).to_contain_text("second")


@pytest.mark.parametrize(
    ("how", "sentence", "again"),
    [
        ("kick", "A moderator has sent you out of this room.", True),
        ("ban", "You are banned from this room.", False),
        ("delete", "This room has been deleted.", False),
    ],
)
async def test_who_is_sent_out_is_told_and_stays_out(
    new_person: NewPerson, stack: Stack, how: str, sentence: str, again: bool
) -> None:
    async with Student.registered(stack.url, stack.ws_url, "Vera") as vera:
        room = await vera.create_room("Algebra")
        await vera.post(f"/rooms/{room}/join")
        tom = await new_person("Tom")
        await tom.register_and_enter(f"/r/{room}")
        # What is under way as a room goes is refused, and the browser complains of that.
        await tom.page.wait_for_load_state("networkidle")
        if how == "delete":
            await vera.call("DELETE", f"/rooms/{room}", status=204)
        else:
            await vera.post(f"/rooms/{room}/participants/{await user_id_of(vera, room, 'Tom')}/{how}")
        await expect(tom.page.locator("main [role=alert]")).to_have_text(sentence)
        await expect(tom.page.get_by_role("button", name="Try again")).to_have_count(1 if again else 0)
        await picture(tom.page, f"sent-out-{how}")
        assert tom.frames_sent("auth") == 1
        assert tom.complaints == []
