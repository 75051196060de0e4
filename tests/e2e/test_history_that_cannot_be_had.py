"""As long as the history is not there the page does not say what was said, and it goes on asking for it."""

import asyncio

from playwright.async_api import Route, WebSocketRoute, expect

from tests.e2e.conftest import NewPerson
from tests.e2e.person import PATIENCE_MS, Person

CHAT = "**/rooms/*/chat?*"


async def somebody_who_has_talked(new_person: NewPerson) -> tuple[Person, str]:
    ann = await new_person("Ann")
    await ann.register()
    room = await ann.create_room("Much was said")
    await ann.say("before")
    await ann.reads("before")
    return ann, room


async def test_a_failure_is_named_and_got_over(new_person: NewPerson) -> None:
    ann, room = await somebody_who_has_talked(new_person)
    bob = await new_person("Bob")
    await bob.register()
    down = asyncio.Event()
    down.set()

    async def answer(route: Route) -> None:
        await (route.fulfill(status=504, json={"code": "TIMEOUT"}) if down.is_set() else route.fallback())

    await bob.page.route(CHAT, answer)
    await bob.enter(room)
    note = bob.page.locator(".log-note")
    await expect(note).to_contain_text("could not be loaded")
    await ann.say("live")
    await bob.reads("live")
    await expect(note).to_contain_text("could not be loaded")

    down.clear()
    await bob.reads("before", "live")
    await expect(note).to_have_text("This is where the chat begins.")


async def test_a_slow_answer_is_waited_for(new_person: NewPerson) -> None:
    _, room = await somebody_who_has_talked(new_person)
    bob = await new_person("Bob")
    await bob.register()
    asked: asyncio.Queue[Route] = asyncio.Queue()
    await bob.page.route(CHAT, asked.put)
    await bob.enter(room)
    route = await asyncio.wait_for(asked.get(), PATIENCE_MS / 1000)
    note = bob.page.locator(".log-note")
    await expect(note).to_have_text("Loading …")
    await route.continue_()
    await bob.reads("before")
    await expect(note).to_have_text("This is where the chat begins.")


async def test_what_was_said_is_there_before_a_connection(new_person: NewPerson) -> None:
    ann, room = await somebody_who_has_talked(new_person)
    bob = await new_person("Bob")
    await bob.register()
    sockets: list[WebSocketRoute] = []

    def answer(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if len(sockets) > 1:
            socket.connect_to_server()  # the first one hears nothing

    await bob.page.route_web_socket("**/ws/rooms/*", answer)
    await bob.page.goto(bob.url + room)
    await bob.reads("before")
    await ann.say("meanwhile")
    await ann.reads("before", "meanwhile")
    await sockets[0].close()
    await bob.reads("before", "meanwhile")
