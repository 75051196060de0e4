"""Waiting for events, with patience."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from client import Event, LogEvent, Room

PATIENCE = 20.0
Kind = TypeVar("Kind", bound=Event)


async def hear(room: Room, kind: type[Kind]) -> Kind:
    """The next event of this kind; those before it are passed over."""
    async with asyncio.timeout(PATIENCE):
        async for event in room.events:
            if isinstance(event, kind):
                return event
    raise AssertionError("the events ended")


async def hear_log(room: Room, up_to: int) -> list[LogEvent]:
    """The events of the log, up to and with that of the `seq`."""
    found: list[LogEvent] = []
    async with asyncio.timeout(PATIENCE):
        async for event in room.events:
            if isinstance(event, LogEvent):
                found.append(event)
                if event.seq >= up_to:
                    break
    return found


async def lose_the_websocket(room: Room) -> None:
    """As a network that changes does it; it comes back by itself."""
    socket = room._conversation.link._ws
    assert socket is not None
    await socket.close()
