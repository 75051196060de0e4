"""A bot that sits in one room after the other and hears all that is said there, for as long as the soak."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable

from client import Client, LogEvent, Refused, Room
from tests.integration.student import PASSWORD


class Listener:
    """`room`: where to sit now. `counts`: what was heard, and how many events were missing or came twice."""

    def __init__(self, url: str, room: Callable[[], str], counts: Counter[str]) -> None:
        self._url, self._room, self._counts = url, room, counts

    async def listen(self) -> None:
        """Until cancelled. A room that is deleted meanwhile is left for another one."""
        async with Client(self._url) as client:
            await client.register(f"listener-{secrets.token_hex(4)}@example.org", "Listener", PASSWORD)
            while True:
                try:
                    async with client.room(self._room()) as room:
                        await self._hear(room)
                except Refused as refusal:  # Closed is one
                    self._counts[f"the bot: {refusal.code}"] += 1
                    await asyncio.sleep(1.0)  # its room was deleted: soon there is another one

    async def _hear(self, room: Room) -> None:
        position = room.position
        last = position.seq if position else 0
        async for event in room.events:
            if isinstance(event, LogEvent):
                self._counts["events the bot heard"] += 1
                self._counts["events missing or twice"] += event.seq != last + 1
                last = event.seq
