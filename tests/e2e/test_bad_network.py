"""Two real Chromiums, each behind a relay that loses every tenth packet in both directions."""

from __future__ import annotations

import asyncio
import json

from playwright.async_api import WebSocketRoute

from bench.loss import relay
from bench.loss.relay import Relay
from tests.e2e.conftest import TONE_HZ, Figure, NewPerson
from tests.e2e.person import Person

LOSS = 0.1
PACKETS = 400


class BadNetwork:
    """Puts a relay between a page and the worker: the answer that the page gets names the relay."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self.relays: list[Relay] = []

    async def install(self) -> None:
        await self._person.page.route_web_socket("**/ws/rooms/**", self._between)

    def lose(self, seed: int) -> None:
        for each in self.relays:
            each.up, each.down = relay.scattered(LOSS, seed), relay.scattered(LOSS, seed + 1)

    def close(self) -> None:
        for each in self.relays:
            each.close()

    def _between(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        page.on_message(server.send)
        server.on_message(lambda message: page.send(self._changed(message)))

    def _changed(self, message: str | bytes) -> str | bytes:
        frame = json.loads(message)
        if frame["type"] != "answer":
            return message
        lines = frame["payload"]["sdp"].split("\r\n")
        udp = next(line.split() for line in lines if line.startswith("a=candidate") and " udp " in line)
        self.relays.append(Relay((udp[4], int(udp[5])), host=udp[4], delay=0.02))
        udp[5] = str(self.relays[-1].address[1])
        first = next(place for place, line in enumerate(lines) if line.startswith("a=candidate"))
        lines = [line for line in lines if not line.startswith("a=candidate")]
        frame["payload"]["sdp"] = "\r\n".join([*lines[:first], " ".join(udp), *lines[first:]])
        return json.dumps(frame)


async def test_a_voice_is_there_though_every_tenth_packet_is_lost(
    new_person: NewPerson, figure: Figure
) -> None:
    ann, bob = await new_person("Ann"), await new_person("Bob")
    networks = [BadNetwork(ann), BadNetwork(bob)]
    for network in networks:
        await network.install()
    try:
        await ann.register()
        room = await ann.create_room("On a train")
        await bob.register_and_enter(room)
        await asyncio.gather(ann.join_voice(), bob.join_voice())
        await bob.hears(TONE_HZ)
        before = await bob.inbound(1)
        for seed, network in enumerate(networks):
            network.lose(2 * seed)
        after = await bob.inbound(int(before["received"]) + PACKETS)
        came, lost, concealed = (after[key] - before[key] for key in ("received", "lost", "concealed"))
        figure(
            f"10 % lost on each of two legs: of {came + lost:.0f} packets {lost:.0f} missing for good, "
            f"{concealed / (came + lost) / 960:.1%} of the sound concealed"
        )
        # Without anything done against it a fifth would be missing.
        assert lost < 0.05 * came
        await bob.hears(TONE_HZ)
    finally:
        for network in networks:
            network.close()
