"""The effects that go to the tables of people: what they changed themselves, their seats and presence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

from common.errors import CwrkError
from rooms.core import effects as do
from rooms.core.effects import Effect
from rooms.core.room import Room
from rooms.lanes import Lanes
from rooms.tables.arrivals import Arrivals
from rooms.tables.read_markers import ReadMarkers
from rooms.tables.store import Store

Tell = Callable[[str, Callable[[Room], list[Effect]]], None]


class TableCalls:
    """A participant's changes happen in the order in which they were asked for.

    `start` runs what nobody waits for, `notify` tells the other replicas, `is_here` says
    whether somebody is connected to this one.
    """

    def __init__(
        self,
        store: Store,
        arrivals: Arrivals,
        lanes: Lanes,
        *,
        tell: Tell,
        start: Callable[[Awaitable[None]], None],
        notify: Callable[[str], None],
        is_here: Callable[[str, int], bool],
    ) -> None:
        self._members = store.members
        self._arrivals = arrivals
        self._lanes = lanes
        self._tell = tell
        self._start = start
        self._notify = notify
        self._is_here = is_here
        self.read_markers = ReadMarkers(self._set_read, start)
        self.perform: dict[type, Callable[[str, Any], None]] = {
            do.SaveMute: self._save_mute,
            do.SaveHand: self._save_hand,
            do.SaveName: self._save_name,
            do.SaveRead: self._save_read,
            do.HoldSeat: self._hold_seat,
            do.DropPresence: self._drop_presence,
        }

    def _save_mute(self, room_id: str, asked: do.SaveMute) -> None:
        self._save(
            room_id,
            asked.user_id,
            lambda: self._members.set_muted(UUID(room_id), asked.user_id, asked.muted),
            lambda room, problem: room.participants.mute_saved(asked, problem),
        )

    def _save_hand(self, room_id: str, asked: do.SaveHand) -> None:
        self._save(
            room_id,
            asked.user_id,
            lambda: self._members.set_hand(UUID(room_id), asked.user_id, asked.raised_at),
            lambda room, problem: room.participants.hand_saved(asked, problem),
        )

    def _save_name(self, room_id: str, asked: do.SaveName) -> None:
        self._save(
            room_id,
            asked.user_id,
            lambda: self._members.rename(UUID(room_id), asked.user_id, asked.display_name),
            lambda room, problem: room.participants.renamed(asked) if problem is None else [],
        )

    def _save(
        self,
        room_id: str,
        user_id: int,
        work: Callable[[], Awaitable[None]],
        say: Callable[[Room, CwrkError | None], list[Effect]],
    ) -> None:
        async def saved() -> None:
            problem: CwrkError | None = None
            try:
                await self._lanes.run(lane(room_id, user_id), work)
            except CwrkError as error:
                problem = error
            self._tell(room_id, lambda room: say(room, problem))
            self._notify(room_id)

        self._start(saved())

    def _save_read(self, room_id: str, effect: do.SaveRead) -> None:
        self.read_markers.move(room_id, effect.user_id, effect.seq)

    async def _set_read(self, room_id: str, user_id: int, seq: int) -> None:
        work = partial(self._members.set_read, UUID(room_id), user_id, seq)
        await self._lanes.run(lane(room_id, user_id), work)

    def _hold_seat(self, room_id: str, effect: do.HoldSeat) -> None:
        self._lanes.start(
            lane(room_id, effect.user_id), lambda: self._arrivals.hold_seat(UUID(room_id), effect.user_id)
        )

    def _drop_presence(self, room_id: str, effect: do.DropPresence) -> None:
        async def drop() -> None:
            if not self._is_here(room_id, effect.user_id):  # else came back while this waited
                await self._arrivals.dropped(UUID(room_id), effect.user_id)
                self._notify(room_id)

        self._lanes.start(lane(room_id, effect.user_id), drop)


def lane(room_id: str, user_id: int) -> tuple[str, int, str]:
    return room_id, user_id, "tables"
