"""What one does with messages: answer, change, delete, put an emoji under them; by keyboard, and by touch."""

from datetime import UTC, datetime

from playwright.async_api import Locator, expect

from tests.e2e.conftest import Figure, NewPerson
from tests.e2e.past import was_said
from tests.e2e.person import Person
from tests.e2e.pictures import picture
from tests.integration.student import Student
from tests.services import Stack

RICH = (
    "See https://example.org/sheet_(4). Is $x^2 + 1$ ever 0? `print(1)` says:\n"
    "```python\nif x < 1:\n    print('<b>no</b>')\n```\nIt costs 5$ or 6$."
)
MOST_SCREENS = 500
# So many are on the page at most (web/components/chat/log.js), and on a page of the history.
WINDOW, NEWEST = 150, 100
# How long each frame takes from here on.
WATCH_FRAMES = """() => {
    window.drawn = [];
    let last = performance.now();
    const frame = (now) => {
        window.drawn.push(now - last);
        last = now;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
}"""
TOUCH = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


def message(person: Person, text: str) -> Locator:
    return person.page.locator(".message", has=person.page.locator(".text", has_text=text))


def writing_box(person: Person) -> Locator:
    return person.page.get_by_role("textbox", name="Message to")


async def test_by_keyboard_messages_are_answered_changed_and_deleted(new_person: NewPerson) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    await bob.register_and_enter(await ann.create_room("Algebra"))

    # Bob writes, and Ann sees that he does.
    await writing_box(bob).press_sequentially("Who has")
    await expect(ann.page.locator(".writing")).to_have_text("Bob is writing …")
    await bob.say("Who has sheet 4?")
    await expect(ann.page.locator(".writing")).to_have_text("")

    # From the box up into the log, and with a key to an answer.
    await ann.reads("Who has sheet 4?")
    await ann.page.locator(".log").focus()
    await ann.page.keyboard.press("ArrowUp")
    await expect(message(ann, "Who has")).to_be_focused()
    await ann.page.keyboard.press("r")
    await expect(writing_box(ann)).to_be_focused()
    await expect(ann.page.locator(".answering")).to_contain_text("Reply to Bob: Who has sheet 4?")
    await ann.page.keyboard.type("I hvae it")
    await ann.page.keyboard.press("Enter")
    await expect(message(bob, "I hvae it").locator(".quote")).to_contain_text("Bob")
    await expect(ann.page.locator(".answering")).to_have_count(0)
    await ann.reads("Who has sheet 4?", "I hvae it")  # saved: until then there is nothing to change

    # ↑ in the empty box changes what one said last; Escape does not.
    await ann.page.keyboard.press("ArrowUp")
    editor = ann.page.get_by_role("textbox", name="Edit the message")
    await expect(editor).to_be_focused()
    await expect(editor).to_have_value("I hvae it")
    await ann.page.keyboard.press("Escape")
    await expect(writing_box(ann)).to_be_focused()
    await ann.page.keyboard.press("ArrowUp")
    await editor.fill("I have it")
    await ann.page.keyboard.press("Enter")
    await bob.reads("Who has sheet 4?", "I have it")
    await expect(message(bob, "I have it").get_by_text("edited", exact=True)).to_be_visible()

    await expect(writing_box(ann)).to_be_focused()

    # An emoji from the menu; the other one joins in with a click, and takes it away again.
    await ann.page.locator(".log").focus()
    await ann.page.keyboard.press("ArrowUp")
    await ann.page.keyboard.press("ArrowUp")
    await ann.page.keyboard.press("Enter")
    await expect(ann.page.get_by_role("menuitem", name="React with 👍")).to_be_focused()
    await ann.page.keyboard.press("Enter")
    chip = message(bob, "Who has").locator(".reaction")
    await expect(chip).to_have_accessible_name("👍 1: Ann")
    await chip.click()
    await expect(message(ann, "Who has").locator(".reaction")).to_have_accessible_name("👍 2: you, Bob")
    await expect(message(ann, "Who has")).to_be_focused()
    await chip.click()
    await expect(chip).to_have_accessible_name("👍 1: Ann")

    # By pointer: what can be done with a message comes when it is pointed at.
    await message(bob, "Who has").hover()
    await message(bob, "Who has").get_by_role("button", name="Reply", exact=True).click()
    await expect(bob.page.locator(".answering")).to_contain_text("Reply to Bob: Who has sheet 4?")
    await bob.page.get_by_role("button", name="Cancel the reply").click()

    # Bob's own message goes; that it was asked for is asked about first.
    await bob.page.locator(".log").focus()
    await bob.page.keyboard.press("ArrowUp")
    await expect(message(bob, "I have it")).to_be_focused()
    await bob.page.keyboard.press("Delete")  # not his: nothing
    await bob.page.keyboard.press("ArrowUp")
    await bob.page.keyboard.press("Delete")
    asked = bob.page.get_by_role("dialog")
    await expect(asked).to_contain_text("Who has sheet 4?")
    await asked.get_by_role("button", name="Delete").click()
    await ann.reads("message deleted", "I have it")
    await expect(message(ann, "I have it").locator(".quote")).to_contain_text("message deleted")
    await expect(ann.page.locator(".reaction")).to_have_count(0)
    assert ann.complaints == bob.complaints == []


async def test_links_code_and_formulas_are_shown_and_never_html(new_person: NewPerson) -> None:
    ann = await new_person("Ann", **TOUCH)
    await ann.register()
    await ann.create_room("Algebra")
    await ann.say(RICH)
    await ann.say("<img src=x onerror=alert(1)> javascript:alert(1)")
    said = message(ann, "See https")
    link = said.get_by_role("link")
    await expect(link).to_have_attribute("href", "https://example.org/sheet_(4)")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    await expect(said.locator(".formula")).to_have_text(["x^2 + 1"])
    await expect(said.locator("code")).to_have_text(["print(1)", "if x < 1:\n    print('<b>no</b>')"])
    await expect(said.locator("b")).to_have_text(["Ann"])
    await expect(message(ann, "<img").locator("img, a, script")).to_have_count(0)

    # By touch: the one small button opens the menu.
    await said.get_by_role("button", name="What to do with this message").tap()
    await ann.page.get_by_role("menuitem", name="Edit").wait_for()
    await picture(ann.page, "message-menu-phone")
    await ann.page.get_by_role("menuitem", name="React with 🎉").tap()
    await expect(said.locator(".reaction")).to_have_attribute("aria-pressed", "true")
    await picture(ann.page, "chat-phone")
    assert ann.complaints == []


async def test_what_is_unread_has_a_line_and_is_read_by_looking(new_person: NewPerson, stack: Stack) -> None:
    async with Student.registered(stack.url, stack.ws_url, "Vera") as vera:
        room = await vera.create_room("Algebra")
        async with vera.in_room(room):
            tom = await new_person("Tom")
            await tom.register_and_enter(f"/r/{room}")
            await vera.say("read", "m-1")
            await tom.reads("read")
            await has_read_all(tom, room)
            await tom.page.goto(tom.url)  # the seat stays, as when a tab is closed
            await vera.say("one", "m-2")
            await vera.say("two", "m-3")
            await tom.enter(f"/r/{room}")
            await tom.reads("read", "one", "two")
            line = tom.page.locator(".unread-line + .message")
            await expect(line).to_contain_text("one")
            await has_read_all(tom, room)
            await tom.page.reload()
            await tom.reads("read", "one", "two")
            await expect(tom.page.locator(".unread-line")).to_have_count(0)
        assert tom.complaints == []


async def test_thousands_of_messages(new_person: NewPerson, stack: Stack, figure: Figure) -> None:
    """Search finds an old one and leads there; however many there are, few are on the page."""
    many = 1_300  # more than are kept, once read
    async with Student.registered(stack.url, stack.ws_url, "Vera") as vera:
        room = await vera.create_room("Algebra")
        await vera.post(f"/rooms/{room}/join")
        now = datetime.now(UTC)
        said = ["The determinant is zero.", *(f"Message {number} of many" for number in range(2, many + 1))]
        await was_said(stack, room, vera.id, [(text, now) for text in said])
        async with vera.in_room(room):
            ann = await new_person("Ann")
            await ann.register_and_enter(f"/r/{room}")
            shown = ann.page.locator(".message")
            await expect(shown.last).to_contain_text(f"Message {many}")

            await ann.page.get_by_role("button", name="Search the chat").click()
            await ann.page.get_by_role("searchbox").fill("determinants")
            await ann.page.locator(".found button").wait_for()
            await picture(ann.page, "search")
            await ann.page.locator(".found button").click()
            found = message(ann, "The determinant is zero.")
            await expect(found).to_be_in_viewport()
            await expect(found).to_be_focused()
            await expect(ann.page.get_by_text("This is where the chat begins.")).to_be_visible()
            assert await shown.count() <= WINDOW

            # Forwards again, screen by screen, without a hole.
            await ann.page.evaluate(WATCH_FRAMES)
            await ann.page.locator(".log").focus()
            for _ in range(MOST_SCREENS):
                if await message(ann, "Message 300 ").count():
                    break
                await ann.page.keyboard.press("PageDown")
            numbers = [int(text.split()[1]) for text in await shown.locator(".text").all_inner_texts()]
            assert 300 in numbers
            frames = sorted(await ann.page.evaluate("drawn"))
            figure(f"scrolling through messages: p95 of a frame {frames[len(frames) * 95 // 100]:.0f} ms")
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            assert await shown.count() <= WINDOW
            await vera.say("Are you there?", "m-2")
            await ann.page.get_by_role("button", name="1 new message").click()
            await expect(message(ann, "Are you there?")).to_be_in_viewport()
            assert await shown.count() <= WINDOW

            # With the next message what is far above is forgotten, and it comes again.
            await vera.say("Still there?", "m-3")
            await expect(shown).to_have_count(NEWEST)
            await ann.page.locator(".log").evaluate("(log) => log.scrollTo(0, 0)")
            await expect(message(ann, f"Message {many - NEWEST - 5} ")).to_be_attached()
        assert ann.complaints == []


async def has_read_all(person: Person, room: str) -> None:
    """And the server knows it."""
    await person.page.evaluate(
        """async (room) => {
            const api = await import('/static/api.js');
            while ((await api.getRoom(room)).unread) await new Promise((resolve) => setTimeout(resolve, 100));
        }""",
        room,
    )
