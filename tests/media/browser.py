"""A plain WebRTC client: aiortc's RTCPeerConnection with a tone for a voice, which decodes what it hears."""

from __future__ import annotations

import array
import asyncio
import cmath
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.stats import RTCInboundRtpStreamStats
from av import AudioFrame

from media.worker import Negotiated, Worker

RATE = 48_000
FRAME = 960
#: Samples taken for one where only a pitch is looked for.
_FEWER = 8


class Tone(MediaStreamTrack):
    """A sine of `hertz`, 20 ms a frame, in real time."""

    kind = "audio"

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._hertz = hertz
        self._start = time.monotonic()
        self._frames = 0

    async def recv(self) -> AudioFrame:
        due = self._start + self._frames * FRAME / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        first = self._frames * FRAME
        step = 2 * math.pi * self._hertz / RATE
        samples = array.array("h", (int(8000 * math.sin(step * at)) for at in range(first, first + FRAME)))
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(samples.tobytes())
        frame.sample_rate = RATE
        frame.pts = self._frames * FRAME
        frame.time_base = Fraction(1, RATE)
        self._frames += 1
        return frame


class Program:
    """aiortc's own RTCPeerConnection: `slots` receiving m-lines, and a tone when it speaks."""

    def __init__(
        self,
        *,
        hertz: float | None = 440,
        slots: int = 3,
        configuration: RTCConfiguration = RTCConfiguration(iceServers=[]),  # noqa: B008  # not changed
    ) -> None:
        self.connection = RTCPeerConnection(configuration)
        self.tracks: list[MediaStreamTrack] = []
        self.connection.on("track", self.tracks.append)
        self._connected = asyncio.Event()
        self.connection.on("connectionstatechange", self._changed)
        if hertz is not None:
            self.connection.addTransceiver(Tone(hertz), "sendonly")
        for _ in range(slots):
            self.connection.addTransceiver("audio", "recvonly")

    def _changed(self) -> None:
        if self.connection.connectionState == "connected":
            self._connected.set()

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def take(self, answer: str) -> None:
        """Waits for the connection, too."""
        await self.connection.setRemoteDescription(RTCSessionDescription(_for_aiortc(answer), "answer"))
        await asyncio.wait_for(self._connected.wait(), 10)

    async def received(self, slot: int) -> int:
        """Packets that came in the slot."""
        return (await self._stats(slot))[0]

    async def lost(self, slot: int) -> int:
        return (await self._stats(slot))[1]

    async def _stats(self, slot: int) -> tuple[int, int]:
        transceivers = [each for each in self.connection.getTransceivers() if each.direction == "recvonly"]
        report = await transceivers[slot].receiver.getStats()
        inbound = [each for each in report.values() if isinstance(each, RTCInboundRtpStreamStats)]
        return sum(each.packetsReceived for each in inbound), sum(each.packetsLost for each in inbound)

    async def pitch(self, slot: int) -> float:
        """The loudest frequency in the slot, Hz, of 400 ms after 200 ms of start-up."""
        heard = array.array("h")
        for number in range(30):
            frame = await asyncio.wait_for(self.tracks[slot].recv(), 5)
            assert isinstance(frame, AudioFrame)
            if number >= 10:
                channels = len(frame.layout.channels)
                heard.extend(
                    array.array("h", bytes(frame.planes[0])[: 2 * channels * frame.samples])[::channels]
                )
        return _loudest(heard)


def _loudest(samples: array.array[int]) -> float:
    """Of the frequencies of a voice, in steps of 5 Hz."""
    few = [sum(samples[at : at + _FEWER]) for at in range(0, len(samples), _FEWER)]

    def power(hertz: int) -> float:
        turn = -2j * math.pi * hertz * _FEWER / RATE
        return abs(sum(each * cmath.exp(turn * at) for at, each in enumerate(few)))

    return max(range(100, 1500, 5), key=power)


class Browser(Program):
    """A participant of `room`, standing for a browser."""

    def __init__(
        self, worker: Worker, room: str, user: str, *, hertz: float | None = 440, slots: int = 3
    ) -> None:
        super().__init__(hertz=hertz, slots=slots)
        self.worker, self.room, self.user = worker, room, user
        self.negotiated: Negotiated

    async def join(self, *, muted: bool = False) -> Negotiated:
        self.negotiated = self.worker.negotiate(self.room, self.user, await self.offer(), muted=muted)
        await self.take(self.negotiated.sdp)
        return self.negotiated


def _for_aiortc(sdp: str) -> str:
    """aiortc takes a bundle's candidates from its last m-line; they stand at the first, as browsers want."""
    candidates = [line for line in sdp.splitlines() if "candidate" in line]
    return sdp + "\r\n".join([*candidates, ""])


@asynccontextmanager
async def browsers(*participants: Browser) -> AsyncIterator[None]:
    """Closes the connections at the end, whatever happened."""
    try:
        yield
    finally:
        await asyncio.gather(*(each.connection.close() for each in participants))


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Waits until `condition()` holds; looks every 20 ms."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what it waits for is in aiortc or the kernel
            await asyncio.sleep(0.02)
