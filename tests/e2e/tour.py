"""Every page and every dialog, one after the other, with real people in it, for whoever wants to look.

The tour stops at each and says its name; what is done there (axe, a camera) is the visitor's business. The
page may look otherwise meanwhile (looks.py), and is at home again when the tour goes on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from playwright.async_api import expect

from tests.e2e.looks import HOME, Eyes
from tests.e2e.person import Person
from tests.e2e.tunnel import Tunnel
from tests.integration.student import Student
from tests.services import Stack

#: Stops that are pages; at the others something has opened over one.
PAGES = {
    *("login", "register", "forgot", "reset", "verify", "rooms-before", "rooms", "account", "doctor"),
    *("invite-gone", "lost", "room", "talk", "crowd", "shut-out"),
}
DOCTOR_MS = 40_000
ROOM = "Linear algebra, mornings"
TALK = (
    ("Mateo", "Morning! I have the exercises of sheet 4 open, 4.2 is the nasty one."),
    ("Aisha", "Same here. I got as far as $\\det(A - \\lambda I) = 0$ and then it falls apart."),
    ("Aisha", "Could it be the sign in the second row?"),
    (
        "Vera",
        "Take row 1 from row 3 first:\n```\n 1  2  0\n 0  3  1\n 0  0  5\n```\nthen it is just the diagonal.",
    ),
    ("Tom", "Much nicer than what I did. See https://en.wikipedia.org/wiki/Gaussian_elimination, too"),
    ("Яна", "Спасибо, теперь ясно! А `rank(A)` тогда равен 3?"),
    ("Mateo", "Break at ten past? I will put the kettle on."),
    ("Vera", "Ten past it is."),
)
OTHER_ROOMS = (
    ("Quiet room", "Microphones off, chat stays"),
    ("Organic chemistry II", "Exam on the 14th"),
    ("Сопротивление материалов и электротехника для начинающих", "Достопримечательности дифференцирования"),
)
NO_MICROPHONE = """() => {
    navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };
}"""
CREATE = """async (name) =>
    (await import('/static/api.js')).createRoom(name, 60, 'Sheet 4, due on Friday', 'public')"""
#: Long and short ones, in several scripts.
CROWD = (
    "Ева",
    "Constantin Alexandrescu-Popescu",
    "Σωκράτης",
    "Ó Súilleabháin",
    "Александра Преображенская",
    "Jo",
)


class Tour:
    """Vera's: she has yet to make an account. Mateo is another browser, the others are programs."""

    def __init__(self, stack: Stack, vera: Person, mateo: Person, *, crowd: int) -> None:
        self._stack, self._vera, self._mateo, self._crowd = stack, vera, mateo, crowd
        self._page = vera.page
        self._room_id = ""
        self._students: dict[str, Student] = {}
        self._talked = False

    async def stops(self, eyes: Eyes, *parts: str) -> AsyncIterator[str]:
        """`parts`: those of PARTS to go to."""
        async with AsyncExitStack() as people:
            self._people = people
            self._tunnel = await Tunnel.under(self._page)
            await eyes.see(HOME)
            for part in parts:
                for leg in PARTS[part]:
                    async for name in leg(self):
                        yield name
                        await eyes.see(HOME)

    async def _door(self) -> AsyncIterator[str]:
        page, url = self._page, self._vera.url
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        yield "login"
        await page.get_by_role("button", name="Create an account").click()
        await page.get_by_label("Your name").fill("\u202eVera")  # would turn the text around it
        await page.get_by_label("E-mail").fill("vera@example.org")
        await page.get_by_label("Password").fill("correct horse battery staple")
        await page.keyboard.press("Enter")
        await expect(page.locator(".note.wrong")).to_be_visible()
        yield "register"
        for name, path in (("forgot", "/forgot"), ("reset", "/reset#token=nothing"), ("verify", "/verify")):
            await page.goto(url + path)
            await page.locator("form.account").wait_for()
            yield name
        await page.goto(url)
        await self._vera.register()

    async def _rooms(self) -> AsyncIterator[str]:
        page = self._page
        await page.locator(".room-card, .empty").filter(has_not_text="Loading").first.wait_for()
        yield "rooms-before"
        await page.get_by_role("button", name="New room").click()
        await page.get_by_label("Seats").wait_for()
        yield "new-room"
        await page.get_by_role("button", name="Cancel").click()
        await self._gather()
        await page.goto(self._vera.url)  # the seat stays, as when a tab is closed
        aisha = self._students["Aisha"]
        for name, topic in OTHER_ROOMS:
            await aisha.create_room(name, topic=topic)
        await aisha.say("Is anybody here yet?", "first")
        await page.reload()
        await page.locator(".room-card", has_text=ROOM).get_by_label("1 unread message").wait_for()
        yield "rooms"

    async def _gather(self) -> None:
        """All of them in one room, which is Vera's."""
        if self._room_id:
            await self._vera.enter(f"/r/{self._room_id}")
            return
        if not await self._page.evaluate("localStorage.getItem('cwrk.session')"):
            await self._vera.register()
        await self._mateo.register()
        self._room_id = (await self._page.evaluate(CREATE, ROOM))["id"]
        await self._vera.enter(f"/r/{self._room_id}")
        for name in ("Aisha Khan", "Tom Becker", "Яна Орлова"):
            self._students[name.split()[0]] = await self._enter(name, self._room_id)
        await self._mateo.enter(f"/r/{self._room_id}")

    async def _enter(self, name: str, room: str) -> Student:
        student = await self._people.enter_async_context(
            Student.registered(self._stack.url, self._stack.ws_url, name)
        )
        return await self._people.enter_async_context(student.in_room(room))

    async def _account(self) -> AsyncIterator[str]:
        page, url = self._page, self._vera.url
        await page.goto(f"{url}/account")
        await page.locator(".sessions li").first.wait_for()
        yield "account"
        await page.get_by_role("button", name="Delete the account").click()
        await page.get_by_role("dialog").wait_for()
        yield "account-delete"
        await page.goto(f"{url}/doctor")
        await page.locator("section[aria-busy=false] li[data-about=turn]").wait_for(timeout=DOCTOR_MS)
        await expect(page.locator("section[aria-busy=true]")).to_have_count(0, timeout=DOCTOR_MS)
        yield "doctor"
        for name, path in (("invite-gone", "/invite/nothing-like-it"), ("lost", "/r/not.an.id")):
            await page.goto(url + path)
            await page.locator(".shut-out .button, .shut-out a").first.wait_for()
            yield name

    async def _shut_out(self) -> AsyncIterator[str]:
        page, aisha = self._page, self._students["Aisha"]
        closed = await aisha.create_room("Closed circle")
        await self._vera.enter(f"/r/{closed}")
        me = await page.evaluate("JSON.parse(localStorage.getItem('cwrk.session')).user.id")
        await aisha.post(f"/rooms/{closed}/participants/{me}/ban")
        await page.locator(".shut-out").wait_for()
        yield "shut-out"

    async def _talk(self) -> None:
        await self._gather()
        if self._talked:
            return
        self._talked = True
        await self._page.get_by_text("Nothing said yet.").or_(self._page.locator(".message")).first.wait_for()
        shown = self._page.locator(".message:not(.pending)")
        before = await shown.count()
        for number, (name, text) in enumerate(TALK):
            if name in self._students:
                await self._students[name].say(text, f"said-{number}")
            else:
                await (self._vera if name == "Vera" else self._mateo).say(text)
            await expect(shown).to_have_count(before + number + 1)

    async def _room(self) -> AsyncIterator[str]:
        page, vera = self._page, self._vera
        await self._talk()
        yield "room"
        await self._mateo.join_voice()
        await vera.join_voice()
        await vera.mute()
        for name in ("Aisha", "Яна"):
            await self._students[name].send("hand", raised=True)
        await expect(page.locator(".hands li")).to_have_count(2)
        await vera.sees_speaking("Mateo Ruiz")
        await self._students["Tom"].send("reaction", emoji="🎉")
        await page.locator(".reacted").wait_for()
        yield "talk"

    async def _cards(self) -> AsyncIterator[str]:
        """What opens over the room."""
        page = self._page
        card = await self._vera.open_card("Aisha Khan")
        yield "person"
        await card.get_by_role("button", name="Give the room away").click()
        await card.get_by_role("alertdialog").wait_for()
        yield "person-give"
        await page.keyboard.press("Escape")
        for name, opener in (("own-link", "Your connection"), ("reactions", "React")):
            await page.locator(".dock").get_by_role("button", name=opener).click()
            await page.locator(".popup:popover-open").wait_for()
            yield name
            await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Voice settings").click()
        await page.get_by_role("switch", name="Hold a key to talk").check()
        yield "voice-settings"
        await page.get_by_role("switch", name="Hold a key to talk").uncheck()
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Invite").click()
        await page.get_by_role("button", name="Make a link").click()
        await page.locator(".invites li").wait_for()
        yield "invite"
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Room settings").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete the room").wait_for()
        yield "room-settings"
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Study timer").click()
        await page.get_by_role("button", name="Start").wait_for()
        yield "timer"
        await page.get_by_role("button", name="Start").click()
        await page.locator(".study.focus").click()
        await page.get_by_role("button", name="Pause").wait_for()
        yield "timer-running"
        await page.get_by_role("button", name="Stop").click()
        await page.locator(".study.off").wait_for()

    async def _chat(self) -> AsyncIterator[str]:
        page = self._page
        await self._talk()
        nicer = page.locator(".message", has_text="Much nicer")
        await nicer.focus()
        await nicer.press("Enter")
        await page.get_by_role("menuitem", name="Reply").wait_for()
        yield "message-menu"
        await page.get_by_role("menuitem", name="React with 🎉").click()
        await nicer.locator(".reaction").wait_for()
        await nicer.press("r")
        await self._students["Яна"].send("typing", typing=True)
        await page.locator(".message", has_text="Ten past it is").press("e")
        await page.get_by_role("textbox", name="Edit the message").wait_for()
        yield "message-edit"
        await page.keyboard.press("Escape")
        await page.locator(".message", has_text="Ten past it is").press("Delete")
        await page.get_by_role("dialog").wait_for()
        yield "message-delete"
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Search the chat").click()
        await page.get_by_role("searchbox").fill("row")
        await page.locator(".found button").first.wait_for()
        yield "search"
        await page.keyboard.press("Escape")

    async def _trouble(self) -> AsyncIterator[str]:
        page, vera = self._page, self._vera
        await page.evaluate(NO_MICROPHONE)
        await page.get_by_role("button", name="Join voice").click()
        await page.locator(".hint").wait_for()
        await page.locator("[data-voice=on]").wait_for()
        yield "no-microphone"
        self._tunnel.refused.add("Did that arrive?")
        await vera.say("Did that arrive?")
        await page.get_by_text("Not sent.").wait_for()
        await self._tunnel.cut()
        await vera.say("I am in the underground")
        await page.get_by_text("Will be sent when the connection is back.").wait_for()
        yield "connection-lost"
        self._tunnel.mend()
        await expect(page.locator("[data-connection]")).to_be_hidden()

    async def _crowded(self) -> AsyncIterator[str]:
        page = self._page
        for number in range(self._crowd):
            await self._enter(f"{CROWD[number % len(CROWD)]} {number + 1}", self._room_id)
        await expect(page.locator(".person")).to_have_count(self._crowd + 5)
        yield "crowd"


#: What each part of the tour shows; each begins with nobody's having done anything.
PARTS = {
    "pages": (Tour._door, Tour._rooms, Tour._account, Tour._shut_out),
    "room": (Tour._room, Tour._cards),
    "chat": (Tour._chat, Tour._trouble, Tour._crowded),
}
