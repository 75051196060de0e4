"""Who leaves is out at once, and their seat is free as soon as the server knows."""

import asyncio

from playwright.async_api import Route, expect

from tests.e2e.conftest import NewPerson
from tests.e2e.person import PATIENCE_MS


async def test_nobody_waits_for_the_server_to_leave(new_person: NewPerson) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    await ann.register()
    room = await ann.create_room("A slow gateway")
    await bob.register_and_enter(room)
    told: asyncio.Queue[Route] = asyncio.Queue()
    await bob.page.route("**/rooms/*/leave", told.put)

    await bob.page.get_by_role("button", name="Leave", exact=True).click()
    await expect(bob.page.get_by_role("heading", name="Rooms")).to_be_visible(timeout=1_000)
    seats = bob.page.locator(f".room-card[href='{room}'] .seats")
    await expect(seats).to_contain_text("2 of 10")

    await (await asyncio.wait_for(told.get(), PATIENCE_MS / 1000)).continue_()
    await expect(seats).to_contain_text("1 of 10", timeout=5_000)
    await ann.sees("Ann")
