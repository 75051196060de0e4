"""What a screen reader is told: who comes, goes and writes; and never faster than one can listen."""

import asyncio

from playwright.async_api import Page, expect

from tests.e2e.conftest import NewPerson
from tests.integration.student import Student
from tests.services import Stack

MANY = 9
# Each sentence that is put into the region; a browser hands those to the screen reader.
LISTENS = """() => {
    window.told = [];
    const region = document.querySelector('.unseen[aria-live=polite]');
    new MutationObserver((changes) => {
        for (const { addedNodes } of changes) for (const node of addedNodes) told.push(node.textContent);
    }).observe(region, { childList: true });
}"""


async def is_told(page: Page, sentence: str) -> None:
    await page.wait_for_function("(sentence) => told.some((each) => each.includes(sentence))", arg=sentence)


async def test_joins_leaves_and_messages_are_told_and_many_at_once_together(
    new_person: NewPerson, stack: Stack
) -> None:
    ann = await new_person("Ann")
    await ann.register()
    room = (await ann.create_room("By ear")).removeprefix("/r/")
    page = ann.page
    await page.evaluate(LISTENS)
    async with Student.registered(stack.url, stack.ws_url, "Vera") as vera:
        async with vera.in_room(room):
            await is_told(page, "Vera has come in.")
            await vera.say("Good morning", "m-0")
            await is_told(page, "Vera: Good morning")
            await vera.send("hand", raised=True)
            await is_told(page, "Vera has raised a hand.")
            await vera.send("reaction", emoji="👏")
            await is_told(page, "Vera: 👏")

            # The same thing twice is told twice.
            await vera.say("Good morning", "m-1")
            await page.wait_for_function(
                "() => told.filter((each) => each.includes('Good morning')).length === 2"
            )

            before = await page.evaluate("told.length")
            await asyncio.gather(*(vera.send("chat", message=f"{n} of many") for n in range(MANY)))
            await expect(page.locator(".message")).to_have_count(MANY + 2)
            await page.wait_for_function("() => told.some((each) => / new messages\\.$/.test(each))")
            assert await page.evaluate("told.length") - before < MANY
        await vera.post(f"/rooms/{room}/leave")
        await is_told(page, "Vera has left.")
    assert ann.complaints == []
