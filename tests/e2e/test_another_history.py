"""The room's log went another way meanwhile: nobody is shown what is no more."""

from __future__ import annotations

import asyncpg
from playwright.async_api import expect

from tests.e2e.conftest import NewPerson
from tests.services import Stack

PAGE = 50  # messages that the history gives at once


async def change(stack: Stack, path: str, *statements: str) -> None:
    """In the tables, all at once; `$1` is the room at `path`."""
    connection = await asyncpg.connect(stack.env["DATABASE_URL"])
    try:
        async with connection.transaction():
            for statement in statements:
                await connection.execute(statement, path.rpartition("/")[2])
    finally:
        await connection.close()


async def test_after_a_restored_backup_the_page_shows_what_the_backup_has(
    new_person: NewPerson, stack: Stack
) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    room = await ann.create_room("An older backup")
    for text in ("kept", "kept too", "lost", "lost too"):
        await ann.say(text)
    await ann.reads("kept", "kept too", "lost", "lost too")
    await bob.register_and_enter(room)
    await bob.reads("kept", "kept too", "lost", "lost too")

    stack.kill("rooms")
    await expect(ann.page.locator("[data-connection]")).to_contain_text("The connection is lost")
    await ann.say("written meanwhile")
    await change(
        stack,
        room,
        "DELETE FROM rooms.events WHERE room_id = $1 AND seq > 2",
        "UPDATE rooms.heads SET last_seq = 2 WHERE room_id = $1",
        "UPDATE rooms.deployment SET epoch = gen_random_uuid() WHERE $1::uuid IS NOT NULL",
    )
    stack.start("rooms")
    for person in (ann, bob):
        await person.reads("kept", "kept too", "written meanwhile")
    await bob.say("the next one")
    for person in (ann, bob):
        await person.reads("kept", "kept too", "written meanwhile", "the next one")


async def test_what_was_deleted_while_one_was_away_for_too_long_is_not_shown(
    new_person: NewPerson, stack: Stack
) -> None:
    """It stood before the newest page; and more happened than who comes back is told."""
    ann = await new_person("Ann")
    await ann.register()
    room = await ann.create_room("A long absence")
    texts = ["a secret", *(f"Message {number}" for number in range(PAGE))]
    for text in texts:
        await ann.say(text)
    await ann.reads(*texts)

    stack.kill("rooms")
    await expect(ann.page.locator("[data-connection]")).to_contain_text("The connection is lost")
    await change(
        stack,
        room,
        "UPDATE rooms.events SET text = '', deleted_at = now() WHERE room_id = $1 AND seq = 1",
        "UPDATE rooms.heads SET last_seq = last_seq + 3000 WHERE room_id = $1",
    )
    stack.start("rooms")
    await expect(ann.page.get_by_text("a secret", exact=True)).to_have_count(0)
    await expect(ann.page.get_by_text(texts[-1], exact=True)).to_be_in_viewport()
    await ann.page.locator(".log").focus()
    await ann.page.keyboard.press("Home")
    await ann.reads("message deleted", *texts[1:])
