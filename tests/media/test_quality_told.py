"""The worker tells how each voice does: by what arrives, and by what its participant reports."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiortc.rtp import RtcpSrPacket

from media import rtcp
from media.events import Event, QualityEvent
from media.quality import Score, mos
from media.reception import ReportBlock
from media.worker import Worker
from tests.media.browser import Browser, browsers, until
from tests.media.test_reports import reports
from tests.media.voices import Voice, recorded, voices

#: So long a report lies with its listener, who then says that it did not.
WAIT = 0.1


@pytest.fixture(autouse=True)
def _reports_at_every_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("voice", "rtcp_calls"):
        monkeypatch.setattr(f"media.{module}.REPORT_INTERVAL", 0.0)


@asynccontextmanager
async def speaking(voice: Voice, *, of_five: int) -> AsyncIterator[None]:
    """So many of five of its packets arrive."""

    async def speak() -> None:
        for number in itertools.count():
            if number % 5 < of_five:
                voice.send(b"opus")
            else:
                voice.sequence += 1
                voice.timestamp += 960
            await asyncio.sleep(0.005)

    task = asyncio.create_task(speak())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def reporting(voice: Voice, *, lost_of_hundred: int) -> AsyncIterator[None]:
    """Answers each report about its slots, and has lost so many of a hundred packets by then."""

    async def report() -> None:
        highest = lost = 0
        while True:
            for sent in [each for each in reports(voice) if isinstance(each, RtcpSrPacket)]:
                await asyncio.sleep(WAIT)
                highest, lost = highest + 100, lost + lost_of_hundred
                middle = sent.sender_info.ntp_timestamp >> 16 & 0xFFFFFFFF
                block = ReportBlock(sent.ssrc, 0, lost, highest, 480, middle, 0)
                answer = voice.contexts.protect_rtcp(rtcp.receiver_report(1, [block]))
                assert answer is not None
                voice.socket.send(voice.server, answer)
            await asyncio.sleep(0.01)

    task = asyncio.create_task(report())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def scores(events: list[Event], user: str) -> list[Score]:
    return [each.score for each in events if isinstance(each, QualityEvent) and each.user_id == user]


async def test_each_is_told_of_its_own_path(worker: Worker) -> None:
    ann, bob = Voice(worker, "room", "ann"), Voice(worker, "room", "bob")
    async with (
        voices(ann, bob),
        recorded(worker, every=True) as events,
        speaking(ann, of_five=4),
        reporting(bob, lost_of_hundred=30),
    ):
        await until(lambda: any(each.loss > 0.1 for each in scores(events, "ann")))
        await until(lambda: any(each.round_trip is not None for each in scores(events, "bob")))
        of_ann = next(each for each in scores(events, "ann") if each.loss > 0.1)
        assert of_ann.round_trip is None  # she hears nobody, and so reports nothing
        assert of_ann.mos < mos(0.0, 0.1, 0.0)
        of_bob = next(each for each in scores(events, "bob") if each.round_trip is not None)
        assert of_bob.round_trip is not None
        assert of_bob.round_trip >= WAIT
        assert (of_bob.loss, of_bob.jitter) == (0.3, 0.01)
        assert of_bob.mos == pytest.approx(mos(of_bob.round_trip, 0.3, 0.01))
        (told,) = {
            each.voice_id for each in events if isinstance(each, QualityEvent) and each.user_id == "bob"
        }
        assert told == bob.negotiated.voice_id


async def test_a_client_that_knows_nothing_of_this_has_its_round_trip_measured(worker: Worker) -> None:
    ann, bob = Browser(worker, "room", "ann"), Browser(worker, "room", "bob", hertz=None)
    async with browsers(ann, bob), recorded(worker, every=True) as events:
        await ann.join()
        await bob.join()
        await until(lambda: any(each.round_trip is not None for each in scores(events, "bob")))
        score = next(each for each in scores(events, "bob") if each.round_trip is not None)
        assert score.round_trip is not None
        assert 0 <= score.round_trip < 10  # seconds, of a loopback: no clock was mistaken for another


async def test_who_neither_speaks_nor_hears_is_told_nothing(worker: Worker) -> None:
    ann, bob, eve = (Voice(worker, room, user) for room, user in (("1", "ann"), ("1", "bob"), ("2", "eve")))
    async with (
        voices(ann, bob, eve),
        recorded(worker, every=True) as events,
        speaking(ann, of_five=5),
    ):
        await until(lambda: len(scores(events, "ann")) >= 3)
        assert scores(events, "bob") == scores(events, "eve") == []
        assert all(each.loss == 0.0 for each in scores(events, "ann"))
