"""The stream of events: to everybody who asked, in order, and never without a bound."""

import pytest

from media.events import QUEUE, Events, Overrun, SlotsEvent, SpeakersEvent, VoiceLostEvent
from media.router import Slot
from media.speakers import Speaker


def event(number: int) -> SpeakersEvent:
    return SpeakersEvent(str(number), ())


async def test_every_subscriber_gets_everything_from_its_start_on() -> None:
    events = Events()
    with events.subscribe() as early:
        events.emit(event(1))
        with events.subscribe() as late:
            events.emit(event(2))
            events.close()
            assert [each async for each in early] == [event(1), event(2)]
            assert [each async for each in late] == [event(2)]


async def test_what_is_outdated_gives_way() -> None:
    events = Events()
    ann, bob = (Speaker(user, 100) for user in ("ann", "bob"))
    with events.subscribe() as slow:
        for speakers in ((ann,), (bob,), ()):
            events.emit(SpeakersEvent("one", speakers))
            events.emit(SpeakersEvent("two", speakers))
            events.emit(
                SlotsEvent("one", "ann", "voice-1", tuple(Slot("1", each.user_id) for each in speakers))
            )
        events.emit(VoiceLostEvent("one", "bob", "voice-2", "timeout"))
        events.emit(SpeakersEvent("one", (ann,)))
        events.close()
        assert [each async for each in slow] == [
            SpeakersEvent("two", ()),
            SlotsEvent("one", "ann", "voice-1", ()),
            VoiceLostEvent("one", "bob", "voice-2", "timeout"),
            SpeakersEvent("one", (ann,)),
        ]


async def test_one_that_does_not_keep_up_is_told_so_and_the_others_are_not_hurt() -> None:
    events = Events()
    with events.subscribe() as slow, events.subscribe() as quick:
        quick_events = aiter(quick)
        for number in range(QUEUE + 5):
            events.emit(event(number))
            assert await anext(quick_events) == event(number)
        slow_events = aiter(slow)
        for number in range(QUEUE):
            assert await anext(slow_events) == event(number)
        with pytest.raises(Overrun):
            await anext(slow_events)
