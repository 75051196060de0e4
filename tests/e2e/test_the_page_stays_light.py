"""What may come often touches little of the page, and leaves nothing behind. (How long it takes: bench.page.)

The server is the real one. What it would say too rarely for a test is said to the page between the two.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from playwright.async_api import CDPSession, Page, WebSocketRoute, expect

from tests.e2e.conftest import NewPerson
from tests.e2e.person import Person

VISITS = 200
#: Of 200 visits that leave something behind each leaves more than one node.
STRAY_NODES = VISITS // 2

Say: TypeAlias = Callable[[str, dict[str, Any]], None]
Overheard: TypeAlias = Callable[[Person], Awaitable[Say]]

# Of the room; what a screen reader is told beside it, of who has come, has its own time.
CHANGES = """() => {
    window.changes = [];
    new MutationObserver((list) => {
        for (const { type, attributeName, target } of list) {
            changes.push(`${type} ${attributeName} ${target.className}`);
        }
    }).observe(document.querySelector('.room'), {
        subtree: true, childList: true, attributes: true, characterData: true,
    });
}"""


@pytest.fixture
def overheard() -> Overheard:
    """Puts itself between the page and the server: what is said by `say` the page takes for the server's."""

    async def begin(person: Person) -> Say:
        routes: list[WebSocketRoute] = []

        def between(route: WebSocketRoute) -> None:
            route.connect_to_server()
            routes.append(route)

        await person.page.route_web_socket("**/ws/rooms/*", between)
        return lambda kind, payload: routes[-1].send(json.dumps({"type": kind, "payload": payload}))

    return begin


async def test_how_loud_somebody_is_changes_the_rings_alone(
    new_person: NewPerson, overheard: Overheard
) -> None:
    ann = await new_person("Ann")
    say = await overheard(ann)
    await ann.register()
    await ann.create_room("Rings")
    others = [str(1_000_000 + number) for number in range(50)]
    for other in others:
        say("peer_joined", joined(other))
    await expect(ann.page.locator(".person")).to_have_count(51)

    def speakers(level: int) -> dict[str, Any]:
        return {"speakers": [{"user_id": other, "level": level} for other in others[:10]]}

    say("speakers", speakers(90))
    await expect(ann.page.locator(".person.speaks")).to_have_count(10)
    await ann.page.evaluate(CHANGES)
    for level in range(91, 113):
        say("speakers", speakers(level))
    await expect(ann.page.locator(".person.speaks .halo").first).to_have_attribute(
        "style", "transform: scale(1.22);"
    )
    changes = await ann.page.evaluate("changes")
    assert set(changes) == {"attributes style halo"}
    assert len(changes) <= 22 * 10


async def test_whoever_came_and_went_leaves_nothing_behind(
    new_person: NewPerson, overheard: Overheard
) -> None:
    ann = await new_person("Ann")
    say = await overheard(ann)
    await ann.register()
    await ann.create_room("A coming and going")
    cdp = await ann.page.context.new_cdp_session(ann.page)
    await cdp.send("Performance.enable")

    async def visits(first: int, count: int) -> None:
        for number in range(first, first + count):
            say("peer_joined", joined(str(number)))
            await ann.page.locator(f".person[data-user='{number}']").wait_for()
            say("peer_left", {"room_id": "", "user_id": str(number)})
        await expect(ann.page.locator(".person")).to_have_count(1)

    await visits(1_000_000, 10)  # what the browser keeps of the first ones it keeps once
    before = await _left(cdp, ann.page)
    await visits(2_000_000, VISITS)
    after = await _left(cdp, ann.page)
    assert after["Nodes"] < before["Nodes"] + STRAY_NODES
    assert after["JSEventListeners"] < before["JSEventListeners"] + STRAY_NODES


def joined(user_id: str) -> dict[str, Any]:
    participant = {
        "user_id": user_id, "display_name": f"Guest {user_id}", "role": "member", "muted": False,
        "joined_at_unix": int(user_id), "last_seen_unix": 0, "hand_raised_at": 0, "muted_by": "",
        "may_speak": True,
    }  # fmt: skip
    return {"room_id": "", "user_id": user_id, "display_name": f"Guest {user_id}", "participant": participant}


async def _left(cdp: CDPSession, page: Page) -> dict[str, float]:
    """What is still held once nothing is to be drawn any more and the garbage has been collected."""
    await page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    for _ in range(2):
        await cdp.send("HeapProfiler.collectGarbage")
    metrics = await cdp.send("Performance.getMetrics")
    return {each["name"]: each["value"] for each in metrics["metrics"]}
