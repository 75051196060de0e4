"""Light participants for the tests: real ICE, DTLS and SRTP, and voice packets made by hand."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.forward.client import Client
from media.datagrams import DatagramSocket
from media.events import Event, QualityEvent, SlotsEvent, SpeakersEvent, VoiceLostEvent
from media.worker import Negotiated, Worker
from tests.media.dialled import Dialled


class Voice(Client):
    """A participant of `room`."""

    def __init__(self, worker: Worker, room: str, user: str, slots: int = 2) -> None:
        super().__init__(slots)
        self.worker, self.room, self.user = worker, room, user
        self.negotiated: Negotiated

    def goes_by(self, protocol: str, host: str) -> None:
        """From now on it takes a candidate of this protocol and kind of address, with a socket for it."""
        self.socket.close()
        self.protocol, self.version = protocol, ipaddress.ip_address(host).version
        family = socket.AF_INET6 if self.version == 6 else socket.AF_INET
        self.socket = DatagramSocket(host, 0) if protocol == "udp" else Dialled(family)

    async def join(self, *, muted: bool = False) -> Negotiated:
        self.negotiated = self.worker.negotiate(self.room, self.user, self.offer(), muted=muted)
        await self.connect(self.negotiated.sdp)
        return self.negotiated

    async def is_heard_by(self, *listeners: Voice, packets: int = 10) -> bool:
        """Says `packets`, 1 ms apart, and whether all of them got to everybody within a second."""
        for listener in listeners:
            listener.receive()
        for _ in range(packets):
            self.send(b"opus")
            await asyncio.sleep(0.001)
        counts = dict.fromkeys(listeners, 0)
        for _ in range(100):
            for listener in listeners:
                counts[listener] += listener.receive()
            if all(count >= packets for count in counts.values()):
                break
            await asyncio.sleep(0.01)
        return all(count == packets for count in counts.values())

    async def hears_nothing_of(self, speaker: Voice) -> bool:
        """Whether of 10 packets of the speaker none comes."""
        self.receive()
        for _ in range(10):
            speaker.send(b"opus")
        before = self.worker.forwarder.counters.received
        for _ in range(20):
            await asyncio.sleep(0.01)
            if self.worker.forwarder.counters.received >= before + 10:
                break
        return self.receive() == 0

    @property
    def heard_gaps(self) -> int:
        """Sequence numbers missing in all that was heard."""
        return sum(stream.lost for stream in self.streams.values())


@asynccontextmanager
async def voices(*participants: Voice) -> AsyncIterator[None]:
    """Joins them in this order, and closes their sockets at the end."""
    try:
        for each in participants:
            await each.join()
        yield
    finally:
        for each in participants:
            each.socket.close()


@asynccontextmanager
async def recorded(worker: Worker, *, every: bool = False) -> AsyncIterator[list[Event]]:
    """What the worker tells from now on of voices and slots; `every`: what it tells when it pleases, too."""
    kinds: tuple[type[Event], ...] = (SlotsEvent, VoiceLostEvent)
    if every:
        kinds += (SpeakersEvent, QualityEvent)
    events: list[Event] = []
    with worker.events.subscribe() as subscription:

        async def record() -> None:
            async for event in subscription:
                if isinstance(event, kinds):
                    events.append(event)  # noqa: PERF401  # a comprehension would show nothing until the end

        recorder = asyncio.create_task(record())
        try:
            yield events
        finally:
            recorder.cancel()
            await asyncio.gather(recorder, return_exceptions=True)
