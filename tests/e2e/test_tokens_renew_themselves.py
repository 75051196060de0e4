"""Nobody is asked to log in again because a token ran out."""

import json

from playwright.async_api import Route, expect

from tests.e2e.conftest import NewPerson
from tests.e2e.person import Person

LIFETIME_S = 3

# Another token than the server's own, of the same shape: what one that has run out amounts to.
SPOIL = """() => {
    const session = JSON.parse(localStorage.getItem('cwrk.session'));
    session.accessToken = session.accessToken.slice(0, -8) + 'AAAAAAAA';
    localStorage.setItem('cwrk.session', JSON.stringify(session));
}"""


async def told_of_a_short_life(person: Person) -> None:
    """The page believes that its first token lives for 3 s."""

    async def answer(route: Route) -> None:
        response = await route.fetch()
        await route.fulfill(response=response, json={**await response.json(), "expiresIn": LIFETIME_S})

    await person.page.route("**/auth/register", answer)


async def test_a_token_is_renewed_before_it_ends_and_the_websocket_is_told(new_person: NewPerson) -> None:
    ann = await new_person("Ann")
    await told_of_a_short_life(ann)
    async with ann.page.expect_response("**/auth/refresh") as renewal:
        await ann.register()
        await ann.create_room("Short-lived")
    assert (await renewal.value).ok
    await ann.sends("auth", times=2)
    await ann.gets("auth_ok")
    await ann.say("Still here")
    await ann.reads("Still here")
    assert ann.frames_sent("auth") == 2, "one connection, one renewal"


async def test_a_refused_token_is_renewed_once_for_all_calls_and_tabs(new_person: NewPerson) -> None:
    ann = await new_person("Ann")
    await ann.register()
    tab = await ann.page.context.new_page()
    await tab.goto(ann.url)
    renewals: list[str] = []
    for page in (ann.page, tab):
        page.on("request", lambda request: renewals.append(request.url) if "refresh" in request.url else None)
    await ann.page.evaluate(SPOIL)
    calls = (
        "Promise.all(Array.from({length: 5}, () => import('/static/api.js').then((api) => api.listRooms())))"
    )
    first, second = [page.evaluate(f"{calls}.then((all) => all.length)") for page in (ann.page, tab)]
    assert (await first, await second) == (5, 5)
    assert len(renewals) == 1


async def test_a_session_that_is_over_leads_to_the_door_and_back(new_person: NewPerson) -> None:
    ann = await new_person("Ann")
    await ann.register()
    room = await ann.create_room("Come back")
    ended = json.dumps({"code": "SESSION_ENDED", "detail": "The session has ended; log in again."})
    await ann.page.route("**/auth/refresh", lambda route: route.fulfill(status=401, body=ended))
    await ann.page.evaluate(SPOIL)
    await ann.page.reload()
    await expect(ann.page).to_have_url(f"{ann.url}/login?next={room.replace('/', '%2F')}")
    await ann.page.get_by_label("E-mail").wait_for()
