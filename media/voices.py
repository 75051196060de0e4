"""The voices of a worker, each from the offer that makes it to its end, and the rooms that they are in.

A participant is (room_id, user_id) and has one voice. Another one of theirs arrives beside it, and takes its
place when it is through its handshake; until then the one before speaks and hears.
"""

from __future__ import annotations

import asyncio
import time

from common import log
from media.events import Events, SlotsEvent, VoiceLostEvent
from media.figures import Figures
from media.ice import IceLite
from media.packet_loop import PacketLoop
from media.room import Room
from media.router import Slot
from media.transport import HandshakeFailed
from media.voice import Voice

logger = log.get("media.voices")


class Voices:
    """`by_number` has all of them by their transports' numbers, `rooms` those that have voices."""

    def __init__(self, loop: PacketLoop, ice: IceLite, events: Events, figures: Figures) -> None:
        self.by_number: dict[int, Voice] = {}
        self.rooms: dict[str, Room] = {}
        self._loop = loop
        self._ice = ice
        self._events = events
        self._figures = figures
        #: By number: a voice and its task that know each other would wait for the garbage collector.
        self._running: dict[int, asyncio.Task[None]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def of(self, room_id: str, user_id: str) -> list[Voice]:
        """The participant's. The arriving one first: the other then ends without being succeeded."""
        room = self.rooms.get(room_id)
        if room is None:
            return []
        return [each[user_id] for each in (room.arriving, room.voices) if user_id in each]

    def slots_of(self, voice: Voice) -> tuple[Slot, ...]:
        """As they are now."""
        if self.is_current(voice):
            return self.rooms[voice.room_id].router.slots(voice.user_id)
        return tuple(Slot(each.mid, None) for each in voice.slots)

    def is_current(self, voice: Voice) -> bool:
        """Whether it is the participant's voice, and not one that arrives."""
        return self.rooms[voice.room_id].voices.get(voice.user_id) is voice

    def set_muted(self, room_id: str, user_id: str, muted: bool) -> None:
        for voice in self.of(room_id, user_id):
            voice.muted = muted
        if room := self.rooms.get(room_id):
            room.perform(room.router.set_muted(user_id, muted))

    # --- coming and going --------------------------------------------------------------------------------

    def begin(self, voice: Voice) -> None:
        """A voice whose transport the packet loop and ICE know already."""
        room = self.rooms.get(voice.room_id)
        if room is None:
            room = self.rooms[voice.room_id] = Room(voice.room_id, self._loop, self._events)
        self.by_number[voice.number] = voice
        if voice.user_id in room.voices:
            if voice.user_id in room.arriving:
                self.lose(room.arriving[voice.user_id], "taken_over")
            room.arriving[voice.user_id] = voice
            self.set_muted(voice.room_id, voice.user_id, voice.muted)
        else:
            self._arrive(room, voice)
        self._running[voice.number] = asyncio.create_task(self._run(voice))
        logger.info(
            "voice opened",
            room_id=voice.room_id,
            user_id=voice.user_id,
            voice_id=voice.id,
            slots=len(voice.slots),
        )

    async def _run(self, voice: Voice) -> None:
        """A voice from its offer to the end of its connection."""
        try:
            keys = await voice.transport.handshake()
            self._figures.joined.observe(time.monotonic() - voice.opened_at)
            self._loop.set_keys(voice.number, keys)
            if not self.is_current(voice):
                self._succeed(voice, "taken_over")
            await voice.transport.ended()
        except HandshakeFailed as failure:
            logger.warning("handshake failed", voice_id=voice.id, why=str(failure))
        except Exception:
            # Whatever it is, it is this voice's alone: the others go on.
            logger.exception("transport failed", voice_id=voice.id)
        self.lose(voice, "failed")

    def _arrive(self, room: Room, voice: Voice) -> None:
        """From here on the Router's participant is this voice."""
        room.voices[voice.user_id] = voice
        mids = tuple(each.mid for each in voice.slots)
        speaks = voice.offer.uplink is not None
        effects = room.router.join(voice.user_id, mids, speaks=speaks, muted=voice.muted)
        room.perform(effects)

    def _succeed(self, voice: Voice, reason: str) -> None:
        """An arriving voice takes the place of the one before it, which ends for this reason."""
        room = self.rooms[voice.room_id]
        del room.arriving[voice.user_id]
        before = room.voices[voice.user_id]
        self._arrive(room, voice)
        self._end(before)
        self._tell_lost(before, reason)
        self._events.emit(SlotsEvent(voice.room_id, voice.user_id, voice.id, self.slots_of(voice)))

    def lose(self, voice: Voice, reason: str) -> None:
        """It ends without its owner's word; the one that arrives has its place."""
        arriving = self.rooms[voice.room_id].arriving.get(voice.user_id)
        if arriving is None or arriving is voice:
            self.leave(voice)
            self._tell_lost(voice, reason)
        else:
            self._succeed(arriving, reason)

    def end_room(self, room_id: str) -> None:
        """Ends the room's voices, which can go on at another worker."""
        room = self.rooms.get(room_id)
        for user_id in list(room.voices) if room else ():
            for voice in self.of(room_id, user_id):
                self.leave(voice)
                self._tell_lost(voice, "worker_lost")

    def _tell_lost(self, voice: Voice, reason: str) -> None:
        self._figures.ended[reason] += 1
        self._events.emit(VoiceLostEvent(voice.room_id, voice.user_id, voice.id, reason))

    def leave(self, voice: Voice) -> None:
        """It ends, and nobody is told."""
        room = self.rooms[voice.room_id]
        if self.is_current(voice):
            room.leave(voice.user_id)
            if room.router.empty:
                del self.rooms[voice.room_id]
        else:
            del room.arriving[voice.user_id]
        self._end(voice)

    def _end(self, voice: Voice) -> None:
        """Takes a voice's connection down; the Router is another matter."""
        del self.by_number[voice.number]
        self._ice.remove(voice.number)
        self._loop.drop_transport(voice.number)
        task = self._running.pop(voice.number)
        if task is not asyncio.current_task():
            task.cancel()
        goodbye = asyncio.create_task(voice.transport.close())
        self._closing.add(goodbye)
        goodbye.add_done_callback(self._closing.discard)
        logger.info("voice closed", room_id=voice.room_id, user_id=voice.user_id, voice_id=voice.id)

    async def close(self) -> None:
        """Ends all of them."""
        for room_id in list(self.rooms):
            self.end_room(room_id)
        await asyncio.gather(*self._closing, return_exceptions=True)
