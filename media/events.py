"""What a worker tells the rooms service, and the queues it waits in."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from media.quality import Score
from media.router import Slot
from media.speakers import Speaker

#: How often a subscriber hears something at least: silence is how it knows that the worker hangs.
ALIVE_SECONDS: Final = 0.5
#: Events that wait for one subscriber. Full: the subscription ends, and the subscriber starts afresh.
QUEUE: Final = 16_384


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
    """The voice has ended without its owner's Close: "timeout", "taken_over", "failed" or "worker_lost"."""

    room_id: str
    user_id: str
    voice_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class QualityEvent:
    """How the participant's voice does."""

    room_id: str
    user_id: str
    voice_id: str
    score: Score


@dataclass(frozen=True, slots=True)
class HeldEvent:
    """The room is here, by this generation of its placement."""

    room_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class LoadEvent:
    """How many voices the worker has."""

    voices: int


@dataclass(frozen=True, slots=True)
class DrainingEvent:
    """The worker is about to stop."""


@dataclass(frozen=True, slots=True)
class AliveEvent:
    """There was nothing else to say for ALIVE_SECONDS."""


Event = (
    SlotsEvent
    | SpeakersEvent
    | VoiceLostEvent
    | QualityEvent
    | HeldEvent
    | LoadEvent
    | DrainingEvent
    | AliveEvent
)


class Overrun(Exception):
    """The subscriber did not keep up; it has missed events."""


class Subscription:
    """One subscriber's events, in order, from its start to the worker's end; now and then an AliveEvent.

    What is waiting and outdated gives way to what is new: of a room's speakers, and of a voice's slots and
    quality, only the last is worth telling. Raises Overrun in place of the first event that found the queue
    full.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[Hashable, Event] = OrderedDict()
        self._news = asyncio.Event()
        self._overrun = False
        self._closed = False

    def put(self, event: Event) -> None:
        if self._closed:
            return
        subject = _subject(event)
        self._waiting.pop(subject, None)
        if len(self._waiting) >= QUEUE:
            self._overrun = True
            self.close()
            return
        self._waiting[subject] = event
        self._news.set()

    def close(self) -> None:
        self._closed = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while self._waiting or not self._closed:
            if self._waiting:
                yield self._waiting.popitem(last=False)[1]
                continue
            self._news.clear()
            try:
                async with asyncio.timeout(ALIVE_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                yield AliveEvent()
        if self._overrun:
            raise Overrun("the subscriber did not keep up with the events")


def _subject(event: Event) -> Hashable:
    """What it tells of; of two events with the same subject the later one says everything."""
    match event:
        case SlotsEvent(voice_id=voice_id):
            return "slots", voice_id
        case SpeakersEvent(room_id=room_id):
            return "speakers", room_id
        case VoiceLostEvent(voice_id=voice_id):
            return "lost", voice_id
        case QualityEvent(voice_id=voice_id):
            return "quality", voice_id
        case HeldEvent(room_id=room_id):
            return "held", room_id
        case LoadEvent() | DrainingEvent() | AliveEvent():
            return type(event).__name__


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
