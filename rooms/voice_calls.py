"""The effects that go to a media worker, and its events on their way to the rooms."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from common import log
from common.errors import CwrkError, Internal, TooMany, TooSlow, Unavailable
from proto import media_pb2
from rooms.core import effects as do
from rooms.core.effects import Effect
from rooms.core.room import Room
from rooms.frames.voice import Answer, Slot
from rooms.lanes import Lanes
from rooms.media_client import Worker, quality_of, slots_of, speakers_of
from rooms.placement import Placement

TRIES = 3  # who believes to be muted must be, and who was sent out is not to speak on

Tell = Callable[[str, Callable[[Room], list[Effect]]], None]


logger = log.get("rooms.voice")


@dataclass(slots=True)
class Wanted:
    """How a voice is to be, not told yet: closed, and whether one that comes after that is muted."""

    closed: bool = False
    muted: bool | None = None


class VoiceCalls:
    """A participant's calls to the worker go one after the other, in the order they were asked for.

    Offers wait in a lane that may be full. A mute or a close never is refused: it changes
    the last thing that is wanted in that lane, or is the first.
    """

    def __init__(self, placement: Placement, lanes: Lanes, tell: Tell) -> None:
        self._placement = placement
        self._lanes = lanes
        self._tell = tell
        self._wanted: dict[Hashable, Wanted] = {}  # by lane: the last of it, not begun

    def negotiate(self, room_id: str, asked: do.Negotiate) -> None:
        async def ask(worker: Worker, generation: int) -> Answer:
            return await worker.negotiate(
                room_id, asked.user_id, asked.sdp, asked.muted, generation=generation
            )

        async def call() -> None:
            answer = await self._placement.ask(room_id, ask)
            self._tell(room_id, lambda room: room.negotiated(asked, answer))

        self._start(room_id, asked, call)

    def attach(self, room_id: str, asked: do.AttachVoice) -> None:
        async def ask(worker: Worker, generation: int) -> tuple[Slot, ...]:
            return await worker.attach(
                room_id, asked.user_id, asked.voice_id, asked.muted, generation=generation
            )

        async def call() -> None:
            slots = await self._placement.ask(room_id, ask)
            self._tell(room_id, lambda room: room.attached(asked, slots))

        self._start(room_id, asked, call)

    def mute(self, room_id: str, asked: do.MuteVoice) -> None:
        self._want(room_id, asked.user_id).muted = asked.muted

    def close(self, room_id: str, asked: do.CloseVoice) -> None:
        wanted = self._want(room_id, asked.user_id)
        wanted.closed, wanted.muted = True, None

    def _want(self, room_id: str, user_id: int) -> Wanted:
        """What the worker is about to be told of somebody, to be changed: so a flood of mutes is one call."""
        lane = _lane(room_id, user_id)
        if (waiting := self._wanted.get(lane)) is not None:
            return waiting
        wanted = self._wanted[lane] = Wanted()

        async def call() -> None:
            if self._wanted.get(lane) is wanted:
                del self._wanted[lane]
            workers = self._placement.having(room_id)
            await asyncio.gather(*(tell(worker) for worker in workers))

        async def tell(worker: Worker) -> None:
            if wanted.closed:
                await _insist(lambda: worker.close(room_id, user_id), lambda: False)
            if (muted := wanted.muted) is not None:
                # Enough where something newer waits to be told.
                await _insist(lambda: worker.set_muted(room_id, user_id, muted), lambda: lane in self._wanted)

        # Behind each offer there is at most one.
        self._lanes.start(lane, call, always=True)
        return wanted

    def heard(self, worker: Worker, event: media_pb2.Event) -> None:
        """An event of a worker."""
        match event.WhichOneof("event"):
            case "room_held":
                self._placement.held(worker, event.room_held.room_id, event.room_held.generation)
            case "slots":
                slots = event.slots
                self._tell(
                    slots.room_id,
                    lambda room: room.voices.slots(int(slots.user_id), slots.voice_id, slots_of(slots.slots)),
                )
            case "speakers" if self._placement.is_at(worker, event.speakers.room_id):
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
        async def answered() -> None:
            try:
                await call()
            except CwrkError as problem:
                self._refused(room_id, asked, problem)
            except Exception:
                logger.exception("unexpected error", room_id=room_id)
                self._refused(room_id, asked, Internal("Something went wrong on our side."))

        lane = _lane(room_id, asked.user_id)
        if self._lanes.start(lane, answered):
            self._wanted.pop(lane, None)  # what is wanted from here on is told after this call
        else:
            busy = TooMany("Too much at once. Try again in a moment.", retry_after=1.0)
            # Not from within the effect: a room is told one thing at a time.
            asyncio.get_running_loop().call_soon(self._refused, room_id, asked, busy)

    def _refused(self, room_id: str, asked: do.Negotiate | do.AttachVoice, problem: CwrkError) -> None:
        adopted = asked.voice_id if isinstance(asked, do.AttachVoice) else ""
        self._tell(
            room_id,
            lambda room: room.voices.refused(asked.conn_id, asked.ref_id, problem, adopted),
        )


async def _insist(call: Callable[[], Awaitable[None]], enough: Callable[[], bool]) -> None:
    """A worker that is away has no voices: the next offer says what there is to say."""
    with contextlib.suppress(Unavailable):
        for tries_left in reversed(range(TRIES)):
            try:
                await call()
                break
            except TooSlow:
                if not tries_left:
                    raise
                if enough():
                    break


def _lane(room_id: str, user_id: int) -> tuple[str, int, str]:
    return room_id, user_id, "voice"
