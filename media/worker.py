"""The Worker: rooms and their voices, on this process's sockets.

It puts the parts together and holds no rule of its own that one of them could: Router says who hears whom,
IceLite whose a datagram is, Transport who is at the other end, Voices which there are, Forwarder carries the
packets. Everything here runs in the event loop, so that a method is one step.
"""

from __future__ import annotations

import asyncio
import datetime
import secrets
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from common import errors, log
from media import negotiation
from media.advertised import candidates_of
from media.datagrams import PacketSocket
from media.events import Events, LoadEvent
from media.figures import Figures
from media.forwarder import Forwarder
from media.ice import Credentials, IceLite
from media.negotiation import Candidate, Local, Offer
from media.packet_loop import Drop, MakeLoop, PacketLoop, Rates, TransportNumbers
from media.paths import Paths
from media.room import Room
from media.router import Slot
from media.rtcp_calls import RtcpCalls
from media.rtp import SILENT
from media.sdp import BadOffer
from media.speakers import INTERVAL
from media.transport import Certificate, Transport
from media.voice import Voice, contributor, new_voice
from media.voices import Voices

#: Without any packet, when voice was flowing right before: lost. Silent speakers send every 0.4 s.
LOST_SPEAKING: Final = 5.0
#: Without any packet otherwise: lost. Consent checks come every 4 to 6 s (RFC 7675).
LOST_SILENT: Final = 15.0
#: Voice was flowing when the last RTP packet came at most so long before the last packet of all.
_FLOWING: Final = 1.0

logger = log.get("media.worker")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one worker takes; at a limit it refuses, and says so."""

    rooms: int = 1000
    participants: int = 500
    slots: int = 32
    rates: Rates = field(default_factory=Rates)


@dataclass(frozen=True, slots=True)
class Negotiated:
    """The answer to an offer. `slots` are the listener's as they are now."""

    sdp: str
    voice_id: str
    slots: tuple[Slot, ...]


class Worker:
    """All the voices of this process. Use `running` around it: it reads the sockets and keeps time."""

    def __init__(
        self,
        sockets: Sequence[PacketSocket],
        *,
        candidates: tuple[Candidate, ...] | None = None,
        limits: Limits | None = None,
        packet_loop: MakeLoop = Forwarder,
    ) -> None:
        self.id = secrets.token_urlsafe(12)
        self.events = Events()
        self._limits = limits or Limits()
        self.figures = Figures()
        self.forwarder: PacketLoop = packet_loop(sockets, self._limits.rates)
        self._rtcp = RtcpCalls(self.forwarder, self.events, self.figures)
        self.sockets = sockets
        #: What answers say from now on.
        self.candidates = candidates_of(sockets) if candidates is None else candidates
        self._certificate = Certificate()
        self._ice = IceLite()
        self._voices = Voices(self.forwarder, self._ice, self.events, self.figures)
        self._paths = Paths(self._ice, self.forwarder, sockets, self._voices.by_number)
        self._next_number = 1
        self._told_load = self.load
        self._reading = False

    # --- what the rooms service asks ---------------------------------------------------------------------

    def negotiate(self, room_id: str, user_id: str, sdp: str, *, muted: bool) -> Negotiated:
        """Answers an offer. Raises BadOffer, or Unavailable at a limit, and then nothing has changed.

        An offer of a connection that is here restarts its ICE. Another one makes a new voice; where the
        participant has one already, that goes on until the new one is through its handshake.
        """
        offer = negotiation.read_offer(sdp, self._limits.slots)
        for voice in self._voices.of(room_id, user_id):
            if offer.is_of_the_connection_of(voice.offer):
                return self._restart(voice, offer, muted=muted)
        self._check_room_for(room_id, user_id)
        voice = self._new_voice(room_id, user_id, offer, muted=muted)
        uplink = offer.uplink
        self.forwarder.add_transport(
            voice.number,
            TransportNumbers(
                uplink.payload_type if uplink else None,
                uplink.level_id if uplink else 0,
                voice.slots,
                uplink.red_payload_type if uplink else 0,
                contributor(room_id, user_id),
            ),
        )
        credentials = self._ice.add(voice.number, offer.ufrag, (room_id, user_id))
        self._voices.begin(voice)
        return self._answer(voice, credentials)

    def _restart(self, voice: Voice, offer: Offer, *, muted: bool) -> Negotiated:
        if not offer.asks_the_same_as(voice.offer):
            raise BadOffer("its m-lines have changed; a new connection can have others")
        credentials = self._ice.restart(voice.number, offer.ufrag)
        voice.offer = offer
        voice.heard_at = voice.restarted_at = time.monotonic()
        self.set_muted(voice.room_id, voice.user_id, muted)
        logger.info("voice restarted", room_id=voice.room_id, user_id=voice.user_id, voice_id=voice.id)
        return self._answer(voice, credentials)

    def _answer(self, voice: Voice, credentials: Credentials) -> Negotiated:
        voice.answers += 1
        local = Local(
            credentials.ufrag,
            credentials.pwd,
            voice.transport.fingerprint,
            self.candidates,
            tuple(each.ssrc for each in voice.slots),
            voice.cname,
            voice.answers,
        )
        return Negotiated(negotiation.answer(voice.offer, local), voice.id, self._voices.slots_of(voice))

    def attach(self, room_id: str, user_id: str, voice_id: str, *, muted: bool) -> tuple[Slot, ...]:
        """The slots of a voice that still runs. Raises NotFound when it does not."""
        for voice in self._voices.of(room_id, user_id):
            if voice.id == voice_id:
                self.set_muted(room_id, user_id, muted)
                return self._voices.slots_of(voice)
        raise errors.NotFound("That voice has ended.", code="VOICE_GONE")

    def slots(self, room_id: str, user_id: str) -> tuple[Slot, ...]:
        """The participant's slots as they are now; none without a voice."""
        room = self._voices.rooms.get(room_id)
        return room.router.slots(user_id) if room else ()

    def set_muted(self, room_id: str, user_id: str, muted: bool) -> None:
        """Mutes or unmutes a participant's voice; nothing happens when there is none."""
        self._voices.set_muted(room_id, user_id, muted)

    def close(self, room_id: str, user_id: str) -> None:
        """Ends a participant's voice; nothing happens when there is none."""
        for voice in self._voices.of(room_id, user_id):
            self._voices.leave(voice)
            self.figures.ended["left"] += 1

    def end_room(self, room_id: str) -> None:
        """Ends the room's voices, which can go on at another worker."""
        self._voices.end_room(room_id)

    @property
    def room_ids(self) -> list[str]:
        """The rooms that have voices."""
        return list(self._voices.rooms)

    @property
    def rooms(self) -> Collection[Room]:
        return self._voices.rooms.values()

    @property
    def voices(self) -> Collection[Voice]:
        return self._voices.by_number.values()

    @property
    def load(self) -> LoadEvent:
        return LoadEvent(len(self._voices.by_number))

    def _check_room_for(self, room_id: str, user_id: str) -> None:
        room = self._voices.rooms.get(room_id)
        if room is None:
            if len(self._voices.rooms) >= self._limits.rooms:
                raise errors.Unavailable("This media worker is full.", code="WORKER_FULL", retry_after=5.0)
        elif user_id not in room.voices and len(room.voices) >= self._limits.participants:
            raise errors.Unavailable("The room's voice channel is full.", code="VOICE_FULL", retry_after=5.0)

    def _new_voice(self, room_id: str, user_id: str, offer: Offer, *, muted: bool) -> Voice:
        certificate = self._certificate.current(datetime.datetime.now(datetime.UTC))
        voice = new_voice(
            self._next_number,
            room_id,
            user_id,
            offer,
            muted=muted,
            rates=self._limits.rates,
            transport=lambda send: Transport(certificate, offer.fingerprints, send),
            send=self.forwarder.send,
        )
        self._next_number += 1
        return voice

    # --- packets and time --------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Reads the sockets and keeps time while the context lasts; then every voice ends."""
        loop = asyncio.get_running_loop()
        self._reading = True
        self.forwarder.start()
        watched = self.forwarder.watched
        for fd, index in watched:
            loop.add_reader(fd, self._readable, index)
        ticker = asyncio.create_task(self._tick_for_ever())
        try:
            yield
        finally:
            ticker.cancel()
            await asyncio.gather(ticker, self._voices.close(), return_exceptions=True)
            self._reading = False
            for fd, _ in watched:
                loop.remove_reader(fd)
            self.forwarder.stop()
            for each in self.sockets:
                each.close()

    def _readable(self, index: int) -> None:
        if not self._reading:
            return
        now = time.monotonic()
        polled = self.forwarder.poll(index, now)
        if polled.more:
            asyncio.get_running_loop().call_soon(self._readable, index)
        for path, datagram in polled.stun:
            self._paths.check(path, datagram, now)
        voices = self._voices.by_number
        for number, datagram in polled.dtls:
            voice = voices[number]
            spent = voice.records.spent(now)
            if not spent:
                voice.records.used += 1
            if spent or not voice.transport.receive(datagram):
                self.forwarder.count_drop(Drop.TOO_MANY)
        for number, compound in polled.rtcp:
            self._rtcp.heard(voices[number], compound, now)
        for number, ssrc, sequences in polled.missing:
            self._rtcp.ask(voices[number], ssrc, sequences)
        for number in polled.onsets:
            voice = voices[number]
            if self._voices.is_current(voice):
                self._voices.rooms[voice.room_id].begins(voice.user_id, now)

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                self.tick(time.monotonic(), time.time())
            except Exception:
                # Without the next tick nobody would be noticed missing.
                logger.exception("tick failed")

    def tick(self, now: float, wall: float) -> None:
        """What is due at `now` (monotonic) and `wall` (Unix): who speaks, is lost, gets a report."""
        self._paths.sweep(now)
        self._listen(now)
        if self.load != self._told_load:
            self._told_load = self.load
            self.events.emit(self.load)
        for voice in list(self._voices.by_number.values()):
            try:
                if now > voice.safe_until and self._is_lost(voice, now):
                    self._voices.lose(voice, "timeout")
                elif now >= voice.report_at:
                    self._rtcp.report(voice, now, wall)
            except Exception:
                # It is this voice's alone: the others are looked after.
                logger.exception("voice not looked after", voice_id=voice.id)

    def _listen(self, now: float) -> None:
        heard: dict[str, dict[str, int]] = {}
        for number, level in self.forwarder.levels().items():
            voice = self._voices.by_number[number]
            heard.setdefault(voice.room_id, {})[voice.user_id] = SILENT - level
        for room_id, room in self._voices.rooms.items():
            room.listen(heard.get(room_id, {}), now)

    def _is_lost(self, voice: Voice, now: float) -> bool:
        packet, spoken = self.forwarder.heard(voice.number)
        last = voice.heard_at if packet is None else max(voice.heard_at, packet)
        voice.safe_until = last + LOST_SPEAKING
        flowing = spoken is not None and spoken > voice.restarted_at and last - spoken <= _FLOWING
        return now - last > (LOST_SPEAKING if flowing else LOST_SILENT)
