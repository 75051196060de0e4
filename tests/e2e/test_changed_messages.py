"""What becomes of messages: edited and deleted ones change on the pages of the others, and in the history."""

from playwright.async_api import expect

from tests.e2e.conftest import NewPerson
from tests.e2e.pictures import picture
from tests.integration.student import Student
from tests.services import Stack


async def test_a_message_that_its_author_edits_and_deletes(new_person: NewPerson, stack: Stack) -> None:
    async with Student.registered(stack.url, stack.ws_url, "Vera") as vera:
        room = await vera.create_room("Algebra")
        async with vera.in_room(room):
            old = await vera.say("sent before he came", "m-0")
            tom = await new_person("Tom")
            await tom.register_and_enter(f"/r/{room}")
            first = await vera.say("a first try", "m-1")
            await vera.say("something else", "m-2")
            await tom.reads("sent before he came", "a first try", "something else")

            await vera.send("chat_edit", msg_id=first["msg_id"], message="the second try")
            await vera.frame("ack")
            await tom.reads("sent before he came", "the second try", "something else")
            edited = tom.page.locator(f"[data-message='{first['msg_id']}']")
            await expect(edited.get_by_text("edited", exact=True)).to_be_visible()

            await vera.send("chat_delete", msg_id=first["msg_id"])
            await vera.send("chat_delete", msg_id=old["msg_id"])
            await tom.reads("message deleted", "message deleted", "something else")
            await expect(edited.get_by_text("edited", exact=True)).to_have_count(0)
            await picture(tom.page, "deleted-1280")

            # And so the history has it.
            await tom.page.reload()
            await tom.is_in_room()
            await tom.reads("message deleted", "message deleted", "something else")
            assert "first try" not in await tom.page.content()
        assert tom.complaints == []
