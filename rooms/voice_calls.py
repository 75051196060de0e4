"""The effects that go to a media worker, and its events on their way to the rooms."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from common.errors import CwrkError, TooMany, TooSlow, Unavailable
from proto import media_pb2
from rooms.core import effects as do
from rooms.core.effects import Effect
from rooms.core.room import Room
from rooms.lanes import Lanes
from rooms.media_client import quality_of, slots_of, speakers_of
from rooms.placement import Placement

MUTE_TRIES = 3  # who believes to be muted must be

Tell = Callable[[str, Callable[[Room], list[Effect]]], None]


class VoiceCalls:
    """A participant's calls to the worker go one after the other, in the order they were asked for."""

    def __init__(self, placement: Placement, lanes: Lanes, tell: Tell) -> None:
        self._placement = placement
        self._lanes = lanes
        self._tell = tell

    def negotiate(self, room_id: str, asked: do.Negotiate) -> None:
        worker = self._placement.worker_of(room_id)

        async def call() -> None:
            try:
                answer = await worker.negotiate(room_id, asked.user_id, asked.sdp, asked.muted)
            except CwrkError as problem:
                self._refused(room_id, asked, problem)
            else:
                self._tell(room_id, lambda room: room.negotiated(asked, answer))

        self._start(room_id, asked, call)

    def attach(self, room_id: str, asked: do.AttachVoice) -> None:
        worker = self._placement.worker_of(room_id)

        async def call() -> None:
            try:
                slots = await worker.attach(room_id, asked.user_id, asked.voice_id, asked.muted)
            except CwrkError as problem:
                self._refused(room_id, asked, problem)
            else:
                self._tell(room_id, lambda room: room.attached(asked, slots))

        self._start(room_id, asked, call)

    def mute(self, room_id: str, asked: do.MuteVoice) -> None:
        worker = self._placement.worker_of(room_id)

        async def call() -> None:
            for _ in range(MUTE_TRIES - 1):
                with contextlib.suppress(TooSlow):
                    return await worker.set_muted(room_id, asked.user_id, asked.muted)
            return await worker.set_muted(room_id, asked.user_id, asked.muted)

        self._lanes.start(_lane(room_id, asked.user_id), lambda: _unless_away(call()))

    def close(self, room_id: str, asked: do.CloseVoice) -> None:
        worker = self._placement.worker_of(room_id)
        self._lanes.start(
            _lane(room_id, asked.user_id), lambda: _unless_away(worker.close(room_id, asked.user_id))
        )

    def heard(self, event: media_pb2.Event) -> None:
        """An event of a worker."""
        match event.WhichOneof("event"):
            case "slots":
                slots = event.slots
                self._tell(
                    slots.room_id,
                    lambda room: room.voices.slots(int(slots.user_id), slots.voice_id, slots_of(slots.slots)),
                )
            case "speakers":
                speakers = event.speakers
                self._tell(speakers.room_id, lambda room: room.speakers(speakers_of(speakers.speakers)))
            case "quality":
                told = event.quality
                self._tell(told.room_id, lambda room: room.voices.quality(told.voice_id, quality_of(told)))
            case "voice_lost":
                lost = event.voice_lost
                self._tell(
                    lost.room_id,
                    lambda room: room.voices.lost(int(lost.user_id), lost.voice_id, lost.reason),
                )

    def _start(
        self, room_id: str, asked: do.Negotiate | do.AttachVoice, call: Callable[[], Awaitable[None]]
    ) -> None:
        if not self._lanes.start(_lane(room_id, asked.user_id), call):
            busy = TooMany("Too much at once. Try again in a moment.", retry_after=1.0)
            # Not from within the effect: a room is told one thing at a time.
            asyncio.get_running_loop().call_soon(self._refused, room_id, asked, busy)

    def _refused(self, room_id: str, asked: do.Negotiate | do.AttachVoice, problem: CwrkError) -> None:
        adopted = asked.voice_id if isinstance(asked, do.AttachVoice) else ""
        self._tell(
            room_id,
            lambda room: room.voices.refused(asked.conn_id, asked.ref_id, problem, adopted),
        )


async def _unless_away(call: Awaitable[None]) -> None:
    """A worker that is away has no voices: the next offer says what there is to say."""
    with contextlib.suppress(Unavailable):
        await call


def _lane(room_id: str, user_id: int) -> tuple[str, int, str]:
    return room_id, user_id, "voice"
