"""A media worker, as rooms calls it and hears from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, cast

from common import log, rpc
from common.errors import CwrkError, Unavailable
from proto import media_pb2, media_pb2_grpc
from rooms.frames.voice import Answer, Quality, Slot, Speaker

FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 0.25
#: A worker hangs that let so many of its times go by. Where we ourselves were held up it is one at most.
SILENCES = 3

logger = log.get("rooms.media")


class Worker:
    """One worker, at `address`. It counts as alive while its event stream is open.

    `heard(worker, event)` gets what happens in its rooms. `came(worker)` is called when the stream opens, or
    is heard again after a silence, and `lost(worker)` when it breaks: then the worker died, or what it said
    meanwhile was missed. Either way its voices count as gone, and clients offer again.

    A stream that falls silent breaks too, where `spare(worker)` says that another worker could take its
    rooms; else it is waited for, as voices may go on without the stream.
    """

    def __init__(
        self,
        address: str,
        client: rpc.Client,
        *,
        heard: Callable[[Worker, media_pb2.Event], None],
        came: Callable[[Worker], None],
        lost: Callable[[Worker], None],
        spare: Callable[[Worker], bool],
    ) -> None:
        self.address = address
        self.version = ""
        self.alive = False
        self.draining = False
        #: Whether it has ever been alive, as far as we know.
        self.seen = False
        #: Its voices, and one for each room that was placed on it since it told of them.
        self.load = 0
        self._client = client
        # The generated stub is typed for grpc's synchronous API too.
        self._stub: Any = media_pb2_grpc.MediaStub(cast(Any, client.channel))
        self._heard = heard
        self._came = came
        self._lost = lost
        self._spare = spare
        #: Set while it has said nothing for too long.
        self.silent = False
        #: Done when the stream breaks: what is asked of it then is not waited for.
        self._gone = asyncio.get_running_loop().create_future()

    @property
    def takes_rooms(self) -> bool:
        return self.alive and not self.draining and not self.silent

    async def negotiate(
        self, room_id: str, user_id: int, sdp: str, muted: bool, *, generation: int
    ) -> Answer:
        """The answer to an offer. Raises Unavailable (MEDIA_UNAVAILABLE), or what the worker found wrong."""
        request = media_pb2.NegotiateRequest(
            room_id=room_id, user_id=str(user_id), sdp=sdp, muted=muted, generation=generation
        )
        response = await self._call(self._stub.Negotiate, request)
        return Answer(sdp=response.sdp, voice_id=response.voice_id, slots=slots_of(response.slots))

    async def attach(
        self, room_id: str, user_id: int, voice_id: str, muted: bool, *, generation: int
    ) -> tuple[Slot, ...]:
        """The slots of a voice that still runs. Raises NotFound when it does not."""
        request = media_pb2.AttachRequest(
            room_id=room_id, user_id=str(user_id), voice_id=voice_id, muted=muted, generation=generation
        )
        return slots_of((await self._call(self._stub.Attach, request)).slots)

    async def set_muted(self, room_id: str, user_id: int, muted: bool) -> None:
        request = media_pb2.SetMutedRequest(room_id=room_id, user_id=str(user_id), muted=muted)
        await self._call(self._stub.SetMuted, request)

    async def close(self, room_id: str, user_id: int) -> None:
        await self._call(self._stub.Close, media_pb2.CloseRequest(room_id=room_id, user_id=str(user_id)))

    async def end_room(self, room_id: str, generation: int) -> None:
        """The room is another worker's, by this generation."""
        await self._call(self._stub.EndRoom, media_pb2.EndRoomRequest(room_id=room_id, generation=generation))

    async def _call(self, method: Any, request: Any) -> Any:
        if not self.alive:
            raise unavailable()
        call = asyncio.ensure_future(self._client.call(method, request))
        try:
            await asyncio.wait({call, self._gone}, return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                raise unavailable()
            return call.result()
        finally:
            call.cancel()

    async def listen(self) -> None:
        """Hold the event stream open, again and again with growing pauses, until cancelled."""
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                await self._hear_out()
            except CwrkError as error:
                reason = error.code
            else:
                reason = "ended"
            if self.alive:
                wait = FIRST_WAIT_SECONDS
                self.alive = False
                logger.warning("media worker lost", at=self.address, reason=reason)
                self._gone.set_result(None)
                self._lost(self)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    async def _hear_out(self) -> None:
        """One stream, until it ends or breaks. Raises CwrkError."""
        events = self._client.stream(self._stub.Events, media_pb2.EventsRequest())
        # Before the hello, and from a worker that does not say, there is no telling.
        every: float | None = None
        following = asyncio.ensure_future(anext(events, None))
        silences = 0
        try:
            while True:
                await asyncio.wait({following}, timeout=every)
                if not following.done():
                    silences += 1
                    if silences < SILENCES:
                        continue
                    if not self.silent:
                        logger.warning("media worker silent", at=self.address)
                    self.silent = True
                    if self._spare(self):
                        raise Unavailable("It hangs.", code="MEDIA_SILENT")
                    continue
                if (event := following.result()) is None:
                    return
                following = asyncio.ensure_future(anext(events, None))
                silences = 0
                if self.silent:
                    self.silent = False
                    self._came(self)
                if event.WhichOneof("event") == "hello":
                    every = event.hello.alive_ms / 1000 or None
                self._take(event)
        finally:
            self.silent = False
            following.cancel()
            await asyncio.wait({following})
            await events.aclose()

    def _take(self, event: media_pb2.Event) -> None:
        match event.WhichOneof("event"):
            case "hello":
                hello = event.hello
                logger.info(
                    "media worker ready", at=self.address, worker=hello.worker_id, version=hello.version
                )
                self.alive = self.seen = True
                if self._gone.done():
                    self._gone = asyncio.get_running_loop().create_future()
                self.draining, self.version = False, hello.version
                self._came(self)
            case "load":
                self.load = event.load.voices
            case "draining":
                self.draining = True
            case "alive":
                pass
            case _ if self.alive:
                self._heard(self, event)


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
