"""What was said on which day, and what one person says in a row."""

import re
from datetime import UTC, datetime, timedelta

from playwright.async_api import expect

from tests.e2e.conftest import NewPerson
from tests.e2e.past import was_said
from tests.integration.student import Student
from tests.services import Stack

DAY = 24 * 60
MINUTES_AGO = (5 * DAY, DAY + 10, DAY + 1, DAY, 2, 1)


async def test_days_are_marked_and_what_belongs_together_stands_together(
    new_person: NewPerson, stack: Stack
) -> None:
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0)
    said = [(f"{minutes} minutes ago", noon - timedelta(minutes=minutes)) for minutes in MINUTES_AGO]
    async with Student.registered(stack.url, stack.ws_url, "Vera") as vera:
        room = await vera.create_room("Diary")
        await vera.post(f"/rooms/{room}/join")
        await was_said(stack, room, vera.id, said)
        ann = await new_person("Ann", timezone_id="UTC")
        await ann.register_and_enter(f"/r/{room}")
    await ann.reads(*(text for text, _ in said))
    days = ann.page.locator(".day:not(.unread-line)")
    await expect(days).to_have_text([re.compile(f"{said[0][1]:%A}"), "Yesterday", "Today"])
    # The first of a row has a name and a time above it; after five minutes a new row begins.
    first = [said[at][0] for at in (0, 1, 2, 4)]
    await expect(ann.page.locator(".message:not(.continues) .text")).to_have_text(first)
    await expect(ann.page.locator(".message.continues .text")).to_have_text([said[3][0], said[5][0]])
    await expect(ann.page.locator(".message:not(.continues) .who time").last).to_have_text("11:58")
    assert ann.complaints == []
