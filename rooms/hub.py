"""The hub: holds the rooms that are open here, and is the only one that performs their effects."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from common import log
from common.errors import CwrkError
from common.tokens import Identity
from rooms.core import effects as do
from rooms.core.effects import Effect
from rooms.core.events import Event
from rooms.core.gestures import Gesture
from rooms.core.participant import Member
from rooms.core.participants import LEFT, Roster, at_worker, may_silence
from rooms.core.room import SESSION_ENDED, Room
from rooms.frames.codec import Frame
from rooms.frames.incoming import Moderate, Resume
from rooms.frames.outgoing import Hello
from rooms.lanes import Lanes, log_fault
from rooms.log.calls import LogCalls
from rooms.tables.arrivals import Arrivals
from rooms.tables.people import name_of
from rooms.tables.presence import Here, Presence, Standing
from rooms.tables.store import Store
from rooms.tables.table_calls import TableCalls, lane
from rooms.voice_calls import VoiceCalls
from rooms.websocket.connection import Connection
from rooms.websocket.connections import Connections
from rooms.websocket.sends import Sends

EPOCH_CHANGED = (4200, "EPOCH_CHANGED")

T = TypeVar("T")

logger = log.get("rooms.hub")


@dataclass
class Open:
    """A room that is open here. `roster_version`: the one loaded last."""

    room: Room
    roster_version: int
    loading_roster: bool = False


class Hub:
    """Inputs of connections, the log, the worker and other replicas to Room; its effects to them."""

    def __init__(self, store: Store, presence: Presence, epoch: str) -> None:
        self.store = store
        self.presence = presence
        self.arrivals = Arrivals(presence.database, presence.replica, self._counted)
        self.epoch = epoch
        self.lanes = Lanes()
        self.voice: VoiceCalls
        self.log = LogCalls(
            tell=self.tell, start=self._start, connection=self._connection, known_head=self._known_head
        )
        self._reading = True
        self._open: dict[str, Open] = {}
        self._opening: dict[str, asyncio.Task[None]] = {}
        self.connections = Connections()
        self.sends = Sends(self.connections)
        self._tasks: set[asyncio.Task[None]] = set()
        self.tables = TableCalls(
            store,
            self.arrivals,
            self.lanes,
            tell=self.tell,
            start=self._start,
            notify=lambda room_id: self.log.fanout.notify(room_id),
            is_here=self._is_here,
        )
        self._perform: dict[type, Callable[[str, Any], None]] = {
            do.Rule: self._rule,
            do.Wake: self._wake,
            do.Negotiate: lambda room_id, effect: self.voice.negotiate(room_id, effect),
            do.AttachVoice: lambda room_id, effect: self.voice.attach(room_id, effect),
            do.MuteVoice: lambda room_id, effect: self.voice.mute(room_id, effect),
            do.CloseVoice: lambda room_id, effect: self.voice.close(room_id, effect),
            **self.sends.perform,
            **self.log.perform,
            **self.tables.perform,
        }

    # --- inputs -----------------------------------------------------------------------------------------

    def tell(self, room_id: str, say: Callable[[Room], list[Effect]]) -> None:
        """Call the room, if it is open here, and perform what it wants done."""
        entry = self._open.get(room_id)
        if entry is None:
            return
        self._run(room_id, say(entry.room))
        if entry.room.idle and self._open.get(room_id) is entry:
            del self._open[room_id]
            self.sends.forget(room_id)
            self.log.fanout.rooms_changed()

    def tell_all(self, say: Callable[[Room], list[Effect]]) -> None:
        """The same for every open room."""
        for room_id in list(self._open):
            self.tell(room_id, say)

    async def join(self, room_id: str, identity: Identity) -> None:
        """Become a member, with a seat. Raises as Members.join does."""
        await self._stored(
            room_id, identity.user_id, lambda: self.store.members.join(UUID(room_id), identity)
        )

    async def admit(self, room_id: str, identity: Identity) -> Member:
        """Take the seat of a member's websocket. Raises as Arrivals.admit does."""
        return await self._stored(
            room_id, identity.user_id, lambda: self.arrivals.admit(UUID(room_id), identity)
        )

    async def attach(
        self, room_id: str, member: Member, connection: Connection, hello: Hello, resume: Resume | None
    ) -> None:
        """Bring an admitted connection into its room: hello and state are the first it gets."""
        await self._opened(room_id)
        while member.seq < self._open[room_id].room.participants.ruled_seq:  # a ruling overtook this
            member = await self.store.members.find(UUID(room_id), member.user_id)
            await self._opened(room_id)
        self.connections.add(connection)
        try:
            self.tell(
                room_id,
                lambda room: room.connect(connection.conn_id, member, time.time(), hello, resume),
            )
        except CwrkError:
            self.connections.remove(connection.conn_id)
            raise
        self.log.fanout.notify(room_id)

    async def _opened(self, room_id: str) -> None:
        while room_id not in self._open:
            opening = self._opening.get(room_id)
            if opening is None:
                opening = self._opening[room_id] = asyncio.create_task(self._load(room_id))
            try:
                await asyncio.shield(opening)
            except asyncio.CancelledError:
                opening.add_done_callback(log_fault)
                raise

    async def _load(self, room_id: str) -> None:
        try:
            # What follows last_seq may be in the settings already: heard again, it is the same.
            standing, members = await self.presence.roster(room_id, ())
            settings, timer = await self.store.settings(UUID(room_id))
            self._of_history(standing.epoch)
            room = Room(room_id, self.epoch, standing.last_seq, settings, timer, members)
            self._open[room_id] = Open(room, standing.roster_version)
            self.log.fanout.rooms_changed()
        finally:
            del self._opening[room_id]

    def receive(self, room_id: str, conn_id: str, frame: Frame) -> None:
        """A frame of an attached connection."""
        self.sends.traffic.received[frame.message.type] += 1
        if self._reading:
            self.tell(room_id, lambda room: room.receive(conn_id, frame, time.time()))

    def renewed(self, room_id: str, identity: Identity) -> None:
        """A participant has a newer token, perhaps with another name."""
        self.tell(room_id, lambda room: room.participants.renew(identity.user_id, name_of(identity)))

    def detach(self, room_id: str, conn_id: str) -> None:
        """An attached connection is gone."""
        self.connections.remove(conn_id)
        tick = asyncio.get_running_loop().time()
        self.tell(room_id, lambda room: room.participants.disconnect(conn_id, time.time(), tick))

    def session_ended(self, room_id: str, conn_id: str) -> None:
        """An attached connection speaks for nobody any more."""
        self.tell(room_id, lambda room: room.session_ended(conn_id))

    def deleted(self, room_id: str, user_id: int, events: list[Event]) -> None:
        """The account is gone, and the membership with it: the tables know already, the log has `events`."""
        self._left(room_id, user_id, SESSION_ENDED)
        self.log.fanout.notify(room_id)
        self.log.fanout.forget(room_id)
        for event in events:
            self.log.announce(room_id, event)

    async def leave(self, room_id: str, user_id: int) -> None:
        """End a membership: in the tables, and at once for those who are here."""
        await self._stored(room_id, user_id, lambda: self.store.members.leave(UUID(room_id), user_id))
        self._left(room_id, user_id, LEFT)
        self.log.fanout.notify(room_id)

    def _left(self, room_id: str, user_id: int, closing: tuple[int, str]) -> None:
        if room_id not in self._open:  # a voice may run all the same
            self.vacated(room_id, user_id)
        self.tell(room_id, lambda room: room.participants.leave(user_id, closing))

    def vacated(self, room_id: str, user_id: int) -> None:
        """Nobody has the seat any more: with it goes the voice, of whatever replica it was."""
        self.voice.close(room_id, do.CloseVoice(user_id))

    async def change(
        self, room_id: str, user_id: int, work: Callable[[], Awaitable[tuple[T, list[Event]]]]
    ) -> T:
        """What somebody changes in the tables, and its events told as soon as they are committed.

        `work` gives what it made and the events. It runs even if the caller gives up.
        """

        async def told() -> T:
            made, events = await work()
            for event in events:
                self.log.announce(room_id, event)
            if any(may_silence(event.body) for event in events):
                self._start(self._silence(room_id))
            return made

        return await self._stored(room_id, user_id, told)

    async def _silence(self, room_id: str) -> None:
        """Tell the worker who may not speak: of those not here, since their replica may have died."""
        for user_id in await self.store.members.listeners(UUID(room_id)):
            if not self._is_here(room_id, user_id):
                self.voice.mute(room_id, do.MuteVoice(user_id, True))

    async def moderate(self, room_id: str, user_id: int, act: Moderate) -> do.Ruling:
        """Somebody moderates. Raises as Moderation.rule does."""

        async def rule() -> tuple[do.Ruling, list[Event]]:
            ruling, events = await self.store.moderation.rule(UUID(room_id), user_id, act)
            if room_id not in self._open:  # nobody's replica may hear of it; a voice may run all the same
                for event in events:
                    self._run(room_id, at_worker(event.body))
            return ruling, events

        return await self.change(room_id, user_id, rule)

    async def delete(self, room_id: str, user_id: int) -> None:
        """The room, with everything in it. Raises as Store.delete does."""

        async def gone() -> None:
            seats = await self.store.delete(UUID(room_id), user_id)
            self.gone(room_id)
            for whose in seats:
                self.vacated(room_id, whose)
            self.log.fanout.notify(room_id)
            self.log.fanout.forget(room_id)

        await self._stored(room_id, user_id, gone)

    def gone(self, room_id: str) -> None:
        """The tables do not have this room any more."""
        self.tell(room_id, lambda room: room.participants.room_deleted())

    def head(self, room_id: str, seq: int) -> None:
        """The room's log is known to reach to `seq`."""
        self.tell(room_id, lambda room: room.feed.head(seq))

    def heard(self, room_id: str, events: Sequence[Event]) -> None:
        """Another replica has committed these."""
        self.tell(room_id, lambda room: room.feed.events(events))

    def show(self, room_id: str, gesture: Gesture) -> None:
        """Somebody on another replica made it."""
        self.tell(room_id, lambda room: room.gestures.show(gesture))

    async def changed(self, room_id: str, msg_ids: Sequence[UUID]) -> list[Event]:
        """These messages and their edits as they are now."""
        return await self.log.history.events_of(room_id, msg_ids)

    def stands(self, standing: Standing) -> None:
        """Where a room stands in the tables: what is new to us is loaded."""
        self._of_history(standing.epoch)
        room_id = standing.room_id
        self.head(room_id, standing.last_seq)
        entry = self._open.get(room_id)
        if entry and standing.roster_version != entry.roster_version and not entry.loading_roster:
            entry.loading_roster = True
            self._start(self._load_roster(room_id, entry))

    def _counted(self, room_id: str, version: int) -> None:
        """Somebody came or went here, which is known here: where that is all, nothing is to be loaded."""
        entry = self._open.get(room_id)
        if entry and entry.roster_version == version - 1:
            entry.roster_version = version

    def _of_history(self, epoch: str) -> None:
        """Where the tables are of another history (a backup was restored) all begin anew, we and clients."""
        if epoch == self.epoch:
            return
        logger.warning("the tables have another history; every connection begins anew", epoch=epoch)
        self.epoch = epoch
        self._open.clear()
        self.log.fanout.rooms_changed()
        self.connections.close_all(*EPOCH_CHANGED)

    async def _load_roster(self, room_id: str, entry: Open) -> None:
        try:
            here = entry.room.participants.here()
            standing, members = await self.presence.roster(room_id, here)
        finally:
            entry.loading_roster = False
        if self._open.get(room_id) is entry:
            entry.roster_version = standing.roster_version
            self.tell(
                room_id, lambda room: room.participants.read(Roster(tuple(members), here, standing.last_seq))
            )

    def open_rooms(self) -> list[str]:
        """The rooms to keep an eye on."""
        return list(self._open)

    def everybody_here(self) -> Iterable[Here]:
        """Whose leases to keep."""
        for room_id, entry in self._open.items():
            for user_id, stands in entry.room.participants.here().items():
                yield Here(room_id, user_id, stands.visit)

    def stop_reading(self) -> None:
        """From here on frames are left unread, so that what is being saved comes to an end."""
        self._reading = False

    async def drain(self) -> None:
        """Wait until nothing is being saved or told any more."""
        await self.log.history.drain()
        await self.tables.read_markers.drain()
        await self.lanes.drain()

    async def close(self) -> None:
        """Stop what runs on its own."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- effects ----------------------------------------------------------------------------------------

    def _run(self, room_id: str, effects: list[Effect]) -> None:
        for effect in effects:
            self._perform[type(effect)](room_id, effect)

    def _rule(self, room_id: str, effect: do.Rule) -> None:
        self._start(self._moderate(room_id, effect))

    async def _moderate(self, room_id: str, asked: do.Rule) -> None:
        outcome: do.Ruling | CwrkError
        try:
            outcome = await self.moderate(room_id, asked.user_id, asked.act)
        except CwrkError as problem:
            outcome = problem
        self.tell(room_id, lambda room: room.ruled(asked, outcome))

    def _wake(self, room_id: str, effect: do.Wake) -> None:
        asyncio.get_running_loop().call_at(effect.at, self._tick, room_id, effect.at)

    def _tick(self, room_id: str, at: float) -> None:
        """A timer may come by its resolution too early: it is what was asked for all the same."""
        now = max(at, asyncio.get_running_loop().time())
        self.tell(room_id, lambda room: room.participants.tick(now))

    # --- small things -----------------------------------------------------------------------------------

    async def _stored(self, room_id: str, user_id: int, work: Callable[[], Awaitable[T]]) -> T:
        """A participant's changes in the tables happen in the order they were asked for."""
        return await self.lanes.run(lane(room_id, user_id), work)

    def _connection(self, conn_id: str) -> Connection | None:
        return self.connections.get(conn_id)

    def _known_head(self, room_id: str) -> int | None:
        entry = self._open.get(room_id)
        return entry.room.feed.known_head if entry else None

    def _is_here(self, room_id: str, user_id: int) -> bool:
        entry = self._open.get(room_id)
        return entry is not None and user_id in entry.room.participants.here()

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.create_task(self._alone(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _alone(self, work: Awaitable[None]) -> None:
        try:
            await work
        except (CwrkError, TimeoutError) as error:
            logger.info("not done", reason=error.code if isinstance(error, CwrkError) else "TIMEOUT")
        except Exception:
            logger.exception("unexpected error")
