"""Voice: one sending m-line and as many receiving ones as wanted, in one offer, whoever comes or goes.

When the voice is lost another one is offered. The only file here that imports aiortc.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

try:
    from aiortc import (
        MediaStreamTrack,
        RTCConfiguration,
        RTCIceServer,
        RTCPeerConnection,
        RTCSessionDescription,
    )
    from aiortc.mediastreams import MediaStreamError
    from av import AudioFrame
except ImportError as missing:
    raise ImportError("voice wants aiortc: pip install aiortc") from missing

from client.backoff import Backoff
from client.conversation import Conversation, Frame
from client.errors import ClientError, Refused, Unreachable, VoiceEnded

logger = logging.getLogger(__name__)

JOIN_S = 30.0
CONNECT_S = 10.0
ATTACH_AGAIN_S = 1.0
#: Frames that wait, a second of one voice; past it the oldest is dropped: sound that is late is none.
HEARD = 50
ELSEWHERE = "taken_over"


class Heard(NamedTuple):
    """20 ms of somebody's voice."""

    user_id: str
    frame: AudioFrame


class Loan(MediaStreamTrack):
    """A track as one connection has it: that stops its own as it ends, and the next one wants it again."""

    kind = "audio"

    def __init__(self, track: MediaStreamTrack) -> None:
        super().__init__()
        self._track = track

    async def recv(self) -> Any:
        if self.readyState != "live":
            raise MediaStreamError
        return await self._track.recv()


@dataclass
class Peer:
    """One peer connection, and what ends it."""

    connection: RTCPeerConnection
    voice_id: str = ""
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    reason: str = ""

    def end(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.lost.set()


class Voice:
    """Made by `Room.join_voice`. It lives until `leave`, or until `ended` says why it does not."""

    def __init__(
        self,
        conversation: Conversation,
        track: MediaStreamTrack | None,
        slots: int,
        ice_servers: Sequence[Mapping[str, Any]],
    ) -> None:
        self._conversation, self._slot_count = conversation, slots
        self._ice_servers = [RTCIceServer(**server) for server in ice_servers]
        self._track = track
        self._peer: Peer | None = None
        self._heard: deque[Heard] = deque(maxlen=HEARD)
        self._more = asyncio.Event()
        self._back = asyncio.Event()  # another websocket is there
        self._living: asyncio.Task[None] | None = None
        self._on: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.slots: dict[str, str | None] = {}
        self.ended: ClientError | None = None

    async def join(self) -> None:
        """Until it is connected for the first time."""
        self._conversation.voice_heard = self._told
        self._living = asyncio.create_task(self._live())
        try:
            async with asyncio.timeout(JOIN_S):
                await asyncio.shield(self._on)
        except TimeoutError:
            await self.leave()
            raise Unreachable(f"no voice within {JOIN_S:g} s") from None
        except BaseException:
            await self.leave()
            raise

    async def leave(self) -> None:
        """No longer heard and hearing. The room goes on."""
        if self._living is not None:
            self._living.cancel()
            await asyncio.gather(self._living, return_exceptions=True)
        self._is_over(self.ended or VoiceEnded("left"))

    async def mute(self, muted: bool = True) -> None:
        """The server lets nothing of one's voice through until it is undone. A moderator's stays."""
        await self._conversation.tell("mute", {"muted": muted})

    @property
    def connected(self) -> bool:
        return self._peer is not None and self._peer.connection.connectionState == "connected"

    @property
    def voice_id(self) -> str:
        """The server's name for it, another one each time it was offered anew."""
        return self._peer.voice_id if self._peer else ""

    @property
    def in_slots(self) -> set[str]:
        """The user ids of those whose voices come now, or would if they spoke."""
        return {user_id for user_id in self.slots.values() if user_id is not None}

    async def heard(self) -> AsyncIterator[Heard]:
        """The voices of the others, decoded, as they come; for one reader, until the voice ends."""
        while True:
            while self._heard:
                yield self._heard.popleft()
            if self.ended is not None:
                return
            self._more.clear()
            await self._more.wait()

    # --- the life of it

    async def _live(self) -> None:
        backoff, loop = Backoff(), asyncio.get_running_loop()
        try:
            while True:
                await self._conversation.link.up.wait()
                began, wait = loop.time(), None
                try:
                    await self._one_connection()
                except Refused as refusal:
                    if not refusal.retryable:
                        raise
                    wait = refusal.retry_after
                except (Unreachable, TimeoutError) as wrong:
                    logger.info("no voice: %s", wrong)
                await asyncio.sleep(backoff.wait(lived=loop.time() - began) if wait is None else wait)
        except ClientError as ended:
            self._is_over(ended)
        except Exception as fault:
            logger.exception("the voice has ended by a fault")
            self._is_over(VoiceEnded(repr(fault)))

    def _is_over(self, reason: ClientError) -> None:
        self.ended = reason
        self._more.set()
        if not self._on.done():
            self._on.set_exception(reason)
            self._on.exception()

    async def _one_connection(self) -> None:
        """Offers, connects, lives until that is lost. Raises VoiceEnded when another one is of no use."""
        connection = RTCPeerConnection(RTCConfiguration(iceServers=self._ice_servers))
        peer = self._peer = Peer(connection)
        listening: list[asyncio.Task[None]] = []
        connected = asyncio.Event()

        @connection.on("connectionstatechange")
        def changed() -> None:
            if connection.connectionState == "connected":
                connected.set()
            elif connection.connectionState in ("failed", "closed"):
                peer.end(connection.connectionState)

        try:
            await self._offer(peer)
            listening = [
                asyncio.create_task(self._listen(mid, track)) for mid, track in _receiving(connection)
            ]
            async with asyncio.timeout(CONNECT_S):
                await _first(connected, peer.lost)
            if not self._on.done():
                self._on.set_result(None)
            await self._until_lost(peer)
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
            await connection.close()
            self.slots = {}
        if peer.reason == ELSEWHERE:
            raise VoiceEnded(peer.reason)

    async def _offer(self, peer: Peer) -> None:
        connection = peer.connection
        if self._track is not None:
            connection.addTransceiver(Loan(self._track), "sendonly")
        for _ in range(self._slot_count):
            connection.addTransceiver("audio", "recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        answer = await self._conversation.ask("offer", {"sdp": connection.localDescription.sdp})
        payload = answer["payload"]
        peer.voice_id = payload["voice_id"]
        self._back.clear()
        self._fill(payload["slots"])
        await connection.setRemoteDescription(RTCSessionDescription(_for_aiortc(payload["sdp"]), "answer"))

    async def _until_lost(self, peer: Peer) -> None:
        """The voice outlives the websocket; over each new one it is adopted."""
        while True:
            await _first(peer.lost, self._back)
            if peer.lost.is_set():
                return
            self._back.clear()
            try:
                answer = await self._conversation.ask("voice_attach", {"voice_id": peer.voice_id})
                self._told(answer)
            except Refused as refusal:
                if not refusal.retryable:
                    return
                await asyncio.sleep(refusal.retry_after or ATTACH_AGAIN_S)
                self._back.set()
            except Unreachable:
                pass  # with the next connection again

    async def _listen(self, mid: str, track: MediaStreamTrack) -> None:
        """What comes in a slot, taken at once even where nobody wants it: else aiortc keeps all of it."""
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                user_id = self.slots.get(mid)
                if user_id is not None and isinstance(frame, AudioFrame):
                    self._heard.append(Heard(user_id, frame))
                    self._more.set()

    def _told(self, frame: Frame) -> None:
        """`hello`, `slots` and `voice_lost`."""
        if frame["type"] == "hello":
            self._back.set()
            return
        payload = frame["payload"]
        if self._peer is None or payload["voice_id"] != self._peer.voice_id:
            return
        if frame["type"] == "slots":
            self._fill(payload["slots"])
        elif frame["type"] == "voice_lost":
            self._peer.end(payload["reason"])

    def _fill(self, slots: Sequence[Mapping[str, Any]]) -> None:
        self.slots = {slot["mid"]: slot["user_id"] for slot in slots}


def _receiving(connection: RTCPeerConnection) -> list[tuple[str, MediaStreamTrack]]:
    """The slots: m-line and track."""
    receiving = [each for each in connection.getTransceivers() if each.direction == "recvonly"]
    return [(each.mid or "", each.receiver.track) for each in receiving]


def _for_aiortc(sdp: str) -> str:
    """aiortc takes a bundle's candidates from its last m-line; they stand at the first, as browsers want."""
    candidates = [line for line in sdp.splitlines() if "candidate" in line]
    return sdp + "\r\n".join([*candidates, ""])


async def _first(*events: asyncio.Event) -> None:
    """Until one of them is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
