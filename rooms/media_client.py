"""A media worker, as rooms calls it and hears from it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any, cast

from common import log, rpc
from common.errors import CwrkError, Unavailable
from proto import media_pb2, media_pb2_grpc
from rooms.frames.outgoing import Answer, Quality, Slot, Speaker

FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 0.25
#: Who wants a voice waits so long for a worker that is away: one that restarts is back by then.
PATIENCE_SECONDS = 2.5

logger = log.get("rooms.media")


class Worker:
    """One worker. It counts as alive while its event stream is open.

    `heard(event)` gets every event but the hello; `lost()` is called when the
    stream breaks: the worker died, or what it said meanwhile was missed. Either
    way its voices count as gone, and clients offer again.
    """

    def __init__(
        self,
        client: rpc.Client,
        heard: Callable[[media_pb2.Event], None],
        lost: Callable[[], None],
    ) -> None:
        self._client = client
        # The generated stub is typed for grpc's synchronous API too.
        self._stub: Any = media_pb2_grpc.MediaStub(cast(Any, client.channel))
        self._heard = heard
        self._lost = lost
        self._alive = asyncio.Event()

    async def negotiate(self, room_id: str, user_id: int, sdp: str, muted: bool) -> Answer:
        """The answer to an offer. Raises Unavailable (MEDIA_UNAVAILABLE), or what the worker found wrong."""
        request = media_pb2.NegotiateRequest(room_id=room_id, user_id=str(user_id), sdp=sdp, muted=muted)
        await self._patience()
        response = await self._call(self._stub.Negotiate, request)
        return Answer(sdp=response.sdp, voice_id=response.voice_id, slots=slots_of(response.slots))

    async def attach(self, room_id: str, user_id: int, voice_id: str, muted: bool) -> tuple[Slot, ...]:
        """The slots of a voice that still runs. Raises NotFound when it does not."""
        request = media_pb2.AttachRequest(
            room_id=room_id, user_id=str(user_id), voice_id=voice_id, muted=muted
        )
        await self._patience()
        return slots_of((await self._call(self._stub.Attach, request)).slots)

    async def set_muted(self, room_id: str, user_id: int, muted: bool) -> None:
        request = media_pb2.SetMutedRequest(room_id=room_id, user_id=str(user_id), muted=muted)
        await self._call(self._stub.SetMuted, request)

    async def close(self, room_id: str, user_id: int) -> None:
        await self._call(self._stub.Close, media_pb2.CloseRequest(room_id=room_id, user_id=str(user_id)))

    async def _patience(self) -> None:
        """Waits for a worker that is away: also when we have just started and have not found it yet."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._alive.wait()

    async def _call(self, method: Any, request: Any) -> Any:
        if not self._alive.is_set():
            raise unavailable()
        return await self._client.call(method, request)

    async def listen(self) -> None:
        """Hold the event stream open, again and again with growing pauses, until cancelled."""
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                async for event in self._client.stream(self._stub.Events, media_pb2.EventsRequest()):
                    if event.WhichOneof("event") == "hello":
                        logger.info("media worker ready", worker=event.hello.worker_id)
                        self._alive.set()
                        wait = FIRST_WAIT_SECONDS
                    elif self._alive.is_set():
                        self._heard(event)
            except CwrkError as error:
                reason = error.code
            else:
                reason = "ended"
            if self._alive.is_set():
                self._alive.clear()
                logger.warning("media worker lost", reason=reason)
                self._lost()
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)


def slots_of(slots: Iterable[media_pb2.Slot]) -> tuple[Slot, ...]:
    """As clients see them: nobody's slot is null."""
    return tuple(Slot(slot.mid, slot.user_id or None) for slot in slots)


def speakers_of(speakers: Iterable[media_pb2.Speaker]) -> tuple[Speaker, ...]:
    return tuple(Speaker(speaker.user_id, speaker.level) for speaker in speakers)


def quality_of(quality: media_pb2.Quality) -> Quality:
    known = quality.HasField("round_trip_ms")
    return Quality(
        rtt_ms=round(quality.round_trip_ms) if known else None,
        loss=round(quality.loss, 3),
        jitter_ms=round(quality.jitter_ms),
        mos=round(quality.mos, 2),
    )


def unavailable() -> Unavailable:
    return Unavailable(
        "Voice is not available just now. Try again in a moment.", code="MEDIA_UNAVAILABLE", retry_after=1.0
    )
