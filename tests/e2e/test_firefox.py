"""Firefox and Chromium in one room: they number their codecs and extensions differently."""

from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.e2e import firefox, namespace
from tests.e2e.browsers import program
from tests.e2e.conftest import TONE_HZ, Figure, NewPerson
from tests.e2e.firefox import FAKE_TONE_HZ, Firefox
from tests.e2e.person import EAR, PASSWORD, Person

# What a person does, for a page without Playwright: waits for what it looks for.
HAND = """
window.hand = {
    find: (selector, text = '') => new Promise((resolve, reject) => {
        const began = performance.now();
        const timer = setInterval(() => {
            const all = [...document.querySelectorAll(selector)];
            const found = all.find((each) => each.textContent.includes(text));
            if (!found && performance.now() - began < 15_000) return;
            clearInterval(timer);
            if (found) resolve(found);
            else reject(new Error(`no ${selector} ${text}`));
        }, 20);
    }),
    click: async (selector) => { (await hand.find(selector)).click(); },
    fill: async (selector, text) => {
        const field = await hand.find(selector);
        field.value = text;
        field.dispatchEvent(new Event('input', { bubbles: true }));
    },
    sees: async (selector) => { await hand.find(selector); },
    reads: async (selector, text) => { await hand.find(selector, text); },
};
"""


# The answer to other credentials is there, and the path by them is found.
RESTARTED = """new Promise((resolve) => {
    const timer = setInterval(() => {
        const [pc] = ear.peers;
        if (pc.localDescription.sdp.includes('ice-ufrag:BEFORE') || pc.signalingState !== 'stable') return;
        if (pc.connectionState !== 'connected') return;
        clearInterval(timer);
        resolve(true);
    }, 5);
})"""


async def register(page: Firefox, name: str) -> None:
    await page.evaluate("hand.click('form.account button.link')")
    await page.evaluate(f"hand.fill('input[name=displayName]', '{name}')")
    await page.evaluate(f"hand.fill('input[name=email]', '{uuid4().hex}@example.org')")
    await page.evaluate(f"hand.fill('input[name=password]', '{PASSWORD}')")
    await page.evaluate("hand.click('form.account button.primary')")
    await page.evaluate("hand.sees('.rooms')")


async def chats(page: Firefox, other: Person) -> None:
    """Writes and reads, shows an emoji, opens what opens, and changes the language."""
    await other.say("Hello Fox")
    await page.evaluate("hand.reads('.message .text', 'Hello Fox')")
    await page.evaluate("hand.fill('.composer textarea', '`code` and $x^2$')")
    await page.evaluate("hand.click('.composer .primary:not(:disabled)')")
    await other.reads("Hello Fox", "code and x^2")
    await page.evaluate("hand.click('[popovertarget=room-reactions]')")
    await page.evaluate("hand.click('.popup:popover-open [role=menuitem]')")
    await expect(other.person("Fox").locator(".reacted")).to_have_text("👍")
    await page.evaluate("hand.click('[popovertarget=study]')")
    await page.evaluate("hand.sees('.popup:popover-open .study-card')")
    await page.evaluate("document.querySelector('.popup:popover-open').hidePopover()")
    await page.evaluate("hand.click('.dock [aria-label=\"Voice settings\"]')")
    await page.evaluate("hand.sees('dialog[open] [role=meter]')")
    await page.evaluate("hand.click('dialog[open] .round')")
    await page.evaluate("hand.click('.room-bar button[lang=ru]')")
    await page.evaluate("hand.reads('.chat-head h2', 'Чат')")
    await page.evaluate("hand.click('.room-bar button[lang=en]')")
    await page.evaluate("hand.reads('.chat-head h2', 'Chat')")


@pytest.mark.skipif(program("Firefox") is None, reason="there is no Firefox here")
@pytest.mark.skipif(not namespace.inside(), reason="Firefox never pairs with 127.0.0.1")
async def test_firefox_and_chromium_meet_talk_and_chat(
    new_person: NewPerson, tmp_path: Path, figure: Figure
) -> None:
    ann = await new_person("Ann")
    await ann.register()
    room = await ann.create_room("Two browsers")
    await ann.join_voice()

    async with firefox.running(tmp_path, HAND + EAR.read_text()) as page:
        await page.goto(ann.url)
        await register(page, "Fox")
        await page.goto(ann.url + room)
        await ann.sees("Ann", "Fox")
        await page.evaluate("hand.click('.dock .primary')")
        await page.evaluate("hand.sees('[data-voice=on]')")
        heard = await page.evaluate(
            f"ear.records(({{ hertz, peak }}) => peak > 0.01 && Math.abs(hertz - {TONE_HZ}) < 15)"
        )
        heard_by_chromium = await ann.hears(FAKE_TONE_HZ)
        await chats(page, ann)
        totals = await page.evaluate("ear.inbound(100)")
        figure(
            f"Firefox hears Chromium's {TONE_HZ} Hz as {heard['hertz']:.1f} Hz, {totals['lost']} of"
            f" {totals['received']} packets lost; Chromium hears Firefox's {FAKE_TONE_HZ} Hz as"
            f" {heard_by_chromium['hertz']:.1f} Hz"
        )
        assert totals["lost"] == 0

        # Another path for the same connection: the one that is there asks, and no new one is made.
        ufrag = "ear.peers[0].localDescription.sdp.match(/ice-ufrag:(.*)/)[1]"
        before = await page.evaluate(ufrag)
        await ann.watches_gaps()
        await page.evaluate("dispatchEvent(new Event('online'))")
        await page.evaluate(RESTARTED.replace("BEFORE", before))
        totals = await page.evaluate(f"ear.inbound({totals['received'] + 100})")
        assert await page.evaluate("ear.peers.length") == 1
        await ann.hears(FAKE_TONE_HZ)
        gap = await ann.longest_gap()
        figure(f"Firefox restarts ICE: {totals['lost']} packets lost, missed for {gap * 1000:.0f} ms")
        await ann.mute()
        await page.evaluate("ear.records(({ peak }) => peak < 0.003)")
    assert ann.frames_sent("offer") == 1
