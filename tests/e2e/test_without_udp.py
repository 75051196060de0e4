"""A browser that may use no UDP talks by TCP, on the same port."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import async_playwright

from tests.e2e.browsers import chromium
from tests.e2e.conftest import TONE_HZ, Figure, NewPerson
from tests.e2e.person import Person
from tests.services import Stack

# Its name of today, and the one before.
NO_UDP = [f"--{prefix}webrtc-ip-handling-policy=disable_non_proxied_udp" for prefix in ("", "force-")]

# Of the pair in use: our side's protocol and theirs.
PAIR = """async () => {
    const report = await ear.peers.at(-1).getStats();
    const transport = [...report.values()].find(({ type }) => type === 'transport');
    const pair = report.get(transport.selectedCandidatePairId);
    return [report.get(pair.localCandidateId).protocol, report.get(pair.remoteCandidateId).protocol];
}"""


async def test_a_browser_without_udp_speaks_and_hears(
    new_person: NewPerson, stack: Stack, tone: Path, figure: Figure
) -> None:
    ann = await new_person("Ann")
    await ann.register()
    room = await ann.create_room("Behind a wall")
    await ann.join_voice()
    launch = chromium(tone)
    launch["args"] += NO_UDP
    async with async_playwright() as playwright:
        walled = await playwright.chromium.launch(**launch)
        async with Person.opened(walled, stack.url, "Bob") as bob:
            await bob.register_and_enter(room)
            await bob.join_voice()
            await bob.hears(TONE_HZ)
            await ann.hears(TONE_HZ)
            assert await bob.page.evaluate(PAIR) == ["tcp", "tcp"]
            assert await ann.page.evaluate(PAIR) == ["udp", "udp"]
            totals = await bob.inbound(200)
            figure(f"by TCP: {totals['received']:.0f} packets received, {totals['lost']:.0f} lost")
            assert totals["lost"] == 0
        await walled.close()
