"""What a worker tells the rooms service, and the queues it waits in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from media.router import Slot
from media.speakers import Speaker

#: Events that wait for one subscriber. Full: the subscription ends, and the subscriber starts afresh.
QUEUE: Final = 4096


@dataclass(frozen=True, slots=True)
class SlotsEvent:
    """The participant's slots changed."""

    room_id: str
    user_id: str
    voice_id: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class SpeakersEvent:
    """Who speaks in the room now: who has the floor first, then the loudest."""

    room_id: str
    speakers: tuple[Speaker, ...]


@dataclass(frozen=True, slots=True)
class VoiceLostEvent:
    """The voice has ended without its owner's Close: "timeout", "taken_over" or "failed"."""

    room_id: str
    user_id: str
    voice_id: str
    reason: str


Event = SlotsEvent | SpeakersEvent | VoiceLostEvent


class Overrun(Exception):
    """The subscriber did not keep up; it has missed events."""


class Subscription:
    """One subscriber's events, in order, from its start to the worker's end.

    Raises Overrun in place of the first event that found the queue full.
    """

    def __init__(self) -> None:
        # One place more, for the None that ends the stream.
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(QUEUE + 1)
        self._overrun = False
        self._closed = False

    def put(self, event: Event) -> None:
        if self._queue.qsize() >= QUEUE:
            self._overrun = True
            self.close()
        if not self._closed:
            self._queue.put_nowait(event)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self._queue.get()) is not None:
            yield event
        if self._overrun:
            raise Overrun("the subscriber did not keep up with the events")


class Events:
    """The stream of events, to any number of subscribers."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    def emit(self, event: Event) -> None:
        for subscription in self._subscriptions:
            subscription.put(event)

    def close(self) -> None:
        """Ends every subscription."""
        for subscription in self._subscriptions:
            subscription.close()

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        """A subscription, while the context lasts."""
        subscription = Subscription()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
