"""The worker's gRPC service (proto/media.proto): protobuf in, one call, protobuf out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from common import VERSION, errors, log, metrics, rpc
from common.lifecycle import background
from common.readiness import Part
from media.advertised import Advertised, Reached, candidates_of, keep, resolve
from media.config import Config
from media.datagrams import PacketSocket
from media.events import (
    ALIVE_SECONDS,
    AliveEvent,
    DrainingEvent,
    Event,
    HeldEvent,
    LoadEvent,
    Overrun,
    QualityEvent,
    SlotsEvent,
    SpeakersEvent,
    VoiceLostEvent,
)
from media.loops import choose
from media.metrics import figures
from media.packet_loop import Rates
from media.placements import Placements
from media.router import Slot
from media.sdp import BadOffer
from media.sockets import open_sockets
from media.worker import Limits, Worker
from proto import media_pb2, media_pb2_grpc

SERVICE = "cwrk.media.v1.Media"

logger = log.get("media.service")


class Service(media_pb2_grpc.MediaServicer):
    """Media, for one Worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._placements = Placements()
        self._draining = False

    async def trouble(self) -> str | None:
        """For /readyz: why no offers are taken."""
        return "This worker is about to stop." if self._draining else None

    async def Negotiate(  # noqa: N802  # the method's name in the .proto
        self, request: media_pb2.NegotiateRequest, context: rpc.Context
    ) -> media_pb2.NegotiateResponse:
        if not request.room_id or not request.user_id:
            raise errors.Malformed("room_id and user_id are needed.")
        if self._draining:
            raise errors.Unavailable(
                "This media worker is about to stop.", code="WORKER_DRAINING", retry_after=1.0
            )
        self._take(request.room_id, request.generation)
        try:
            negotiated = self._worker.negotiate(
                request.room_id, request.user_id, request.sdp, muted=request.muted
            )
        except BadOffer as error:
            raise errors.Malformed(f"The offer cannot be answered: {error}.", code="BAD_OFFER") from None
        return media_pb2.NegotiateResponse(
            sdp=negotiated.sdp, voice_id=negotiated.voice_id, slots=_slots(negotiated.slots)
        )

    async def Attach(  # noqa: N802
        self, request: media_pb2.AttachRequest, context: rpc.Context
    ) -> media_pb2.AttachResponse:
        self._take(request.room_id, request.generation)
        slots = self._worker.attach(request.room_id, request.user_id, request.voice_id, muted=request.muted)
        return media_pb2.AttachResponse(slots=_slots(slots))

    async def SetMuted(  # noqa: N802
        self, request: media_pb2.SetMutedRequest, context: rpc.Context
    ) -> media_pb2.SetMutedResponse:
        self._worker.set_muted(request.room_id, request.user_id, request.muted)
        return media_pb2.SetMutedResponse()

    async def Close(  # noqa: N802
        self, request: media_pb2.CloseRequest, context: rpc.Context
    ) -> media_pb2.CloseResponse:
        self._worker.close(request.room_id, request.user_id)
        return media_pb2.CloseResponse()

    async def EndRoom(  # noqa: N802
        self, request: media_pb2.EndRoomRequest, context: rpc.Context
    ) -> media_pb2.EndRoomResponse:
        if request.generation > self._placements.of(request.room_id):
            self._placements.take(request.room_id, request.generation)
            self._worker.end_room(request.room_id)
        return media_pb2.EndRoomResponse()

    async def Events(  # noqa: N802
        self, request: media_pb2.EventsRequest, context: rpc.Context
    ) -> AsyncIterator[media_pb2.Event]:
        with self._worker.events.subscribe() as subscription:
            # As it is now: what happens while this is sent comes by the subscription.
            standing: list[Event] = [self._worker.load, *([DrainingEvent()] if self._draining else [])]
            standing += [HeldEvent(each, self._placements.of(each)) for each in self._worker.room_ids]
            hello = media_pb2.WorkerHello(
                worker_id=self._worker.id, version=VERSION, alive_ms=int(ALIVE_SECONDS * 1000)
            )
            yield media_pb2.Event(hello=hello)
            for event in standing:
                yield _event(event)
            try:
                async for event in subscription:
                    yield _event(event)
            except Overrun as overrun:
                raise errors.Unavailable(str(overrun), code="EVENTS_OVERRUN", retry_after=0.1) from None

    async def drain(self, seconds: float) -> None:
        """Takes no offers any more, and ends the rooms one after the other over `seconds`: the rooms service
        places them elsewhere, and not all at once."""
        self._draining = True
        self._worker.events.emit(DrainingEvent())
        rooms = self._worker.room_ids
        for room_id in rooms:
            self._worker.end_room(room_id)
            await asyncio.sleep(seconds / len(rooms))

    def _take(self, room_id: str, generation: int) -> None:
        if self._placements.take(room_id, generation):
            self._worker.events.emit(HeldEvent(room_id, generation))


def _slots(slots: Iterable[Slot]) -> list[media_pb2.Slot]:
    return [media_pb2.Slot(mid=slot.mid, user_id=slot.user_id or "") for slot in slots]


def _event(event: Event) -> media_pb2.Event:
    match event:
        case SlotsEvent(room_id, user_id, voice_id, slots):
            changed = media_pb2.SlotsChanged(room_id=room_id, user_id=user_id, voice_id=voice_id)
            changed.slots.extend(_slots(slots))
            return media_pb2.Event(slots=changed)
        case SpeakersEvent(room_id, speakers):
            return media_pb2.Event(
                speakers=media_pb2.SpeakersChanged(
                    room_id=room_id,
                    speakers=[media_pb2.Speaker(user_id=each.user_id, level=each.level) for each in speakers],
                )
            )
        case VoiceLostEvent(room_id, user_id, voice_id, reason):
            return media_pb2.Event(
                voice_lost=media_pb2.VoiceLost(
                    room_id=room_id, user_id=user_id, voice_id=voice_id, reason=reason
                )
            )
        case QualityEvent(room_id, user_id, voice_id, score):
            quality = media_pb2.Quality(
                room_id=room_id,
                user_id=user_id,
                voice_id=voice_id,
                loss=score.loss,
                jitter_ms=score.jitter * 1000,
                mos=score.mos,
            )
            if score.round_trip is not None:
                quality.round_trip_ms = score.round_trip * 1000
            return media_pb2.Event(quality=quality)
        case HeldEvent(room_id, generation):
            return media_pb2.Event(room_held=media_pb2.RoomHeld(room_id=room_id, generation=generation))
        case LoadEvent(voices):
            return media_pb2.Event(load=media_pb2.WorkerLoad(voices=voices))
        case DrainingEvent():
            return media_pb2.Event(draining=media_pb2.WorkerDraining())
        case AliveEvent():
            return media_pb2.Event(alive=media_pb2.WorkerAlive())


@asynccontextmanager
async def serve(config: Config) -> AsyncIterator[rpc.Server]:
    """A running worker. Raises ConfigError when a port is taken."""
    async with AsyncExitStack() as stack:
        packet_loop = choose(config.loop, config.overload)
        sockets = open_sockets(config)
        rates = Rates(config.max_packets, config.max_octets)
        limits = Limits(config.max_rooms, config.max_participants, config.max_slots, rates)
        worker = Worker(sockets, limits=limits, packet_loop=packet_loop)
        page = metrics.Page("media")
        page.reads(lambda: figures(worker))
        page.shows(*worker.figures.histograms)
        await stack.enter_async_context(worker.running())
        if config.advertise:
            await _advertise(stack, worker, sockets, config.advertise)
        service = Service(worker)
        parts = (Part("offers", service.trouble, needed=True),)
        server = await stack.enter_async_context(
            rpc.serve(
                config.listen,
                variable="MEDIA_LISTEN",
                service_token=config.service_token,
                names=[SERVICE],
                parts=parts,
                page=page,
                register=lambda grpc_server: media_pb2_grpc.add_MediaServicer_to_server(service, grpc_server),
            )
        )
        await stack.enter_async_context(metrics.serve(config.metrics_listen, page, parts))
        # A stream of events has no end of its own, and the server would wait for it.
        stack.callback(worker.events.close)
        stack.push_async_callback(service.drain, config.drain_ms / 1000)
        yield server


async def _advertise(
    stack: AsyncExitStack,
    worker: Worker,
    sockets: Sequence[PacketSocket],
    advertised: Sequence[Advertised],
) -> None:
    def tell(reached_at: list[Reached]) -> None:
        worker.candidates = candidates_of(sockets, reached_at)
        logger.info("clients are told", addresses=sorted({each.host for each in worker.candidates}))

    tell(await resolve(advertised))
    if any(each.is_name for each in advertised):
        await stack.enter_async_context(background(lambda: keep(advertised, tell), "media.advertised"))
