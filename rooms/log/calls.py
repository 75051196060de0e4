"""The effects that go to the log, and what comes back from it: drafts saved, gaps read, pages replayed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from common.errors import CwrkError
from rooms.core import effects as do
from rooms.core.effects import Effect, Outcome, Saved
from rooms.core.events import Event
from rooms.core.feed import REPLAY_PAGE
from rooms.core.room import Room
from rooms.log.batches import OTHER_HISTORY
from rooms.log.fanout import Fanout
from rooms.log.history import History
from rooms.websocket.connection import Connection

READ_LOG_PAGE = 200

Tell = Callable[[str, Callable[[Room], list[Effect]]], None]


class LogCalls:
    """`start` runs what nobody waits for; `known_head` is that of an open room, None for another."""

    history: History
    fanout: Fanout

    def __init__(
        self,
        *,
        tell: Tell,
        start: Callable[[Awaitable[None]], None],
        connection: Callable[[str], Connection | None],
        known_head: Callable[[str], int | None],
    ) -> None:
        self._tell = tell
        self._start = start
        self._connection = connection
        self._known_head = known_head
        self.perform: dict[type, Callable[[str, Any], None]] = {
            do.PassOn: lambda room_id, effect: self.fanout.pass_on(room_id, effect.gesture),
            do.Persist: self._persist,
            do.ReadLog: lambda room_id, effect: self._start(self._read_log(room_id, effect)),
            do.Replay: lambda room_id, effect: self._start(self._replay(room_id, effect)),
        }

    def report(self, room_id: str, outcomes: Sequence[Outcome]) -> None:
        """What became of a batch of drafts."""
        saved = [outcome for outcome in outcomes if isinstance(outcome, Saved)]
        if saved:
            self._tell(room_id, lambda room: room.feed.saved(saved))
        if events := [outcome.event for outcome in saved if outcome.event is not None]:
            self.fanout.publish(room_id, events)
        for outcome in outcomes:
            if not isinstance(outcome, Saved):
                self._not_saved(room_id, *outcome)
                if outcome[1].code == OTHER_HISTORY:
                    self.fanout.look()
            draft = outcome.draft if isinstance(outcome, Saved) else outcome[0]
            if connection := self._connection(draft.conn_id):
                connection.saved()

    def announce(self, room_id: str, event: Event) -> None:
        """Something that `append_event` wrote is committed: everybody hears of it, on every replica."""
        self._tell(room_id, lambda room: room.feed.events([event]))
        self.fanout.publish(room_id, [event])

    def _persist(self, room_id: str, effect: do.Persist) -> None:
        try:
            self.history.append(room_id, effect.draft)
        except CwrkError as problem:
            # Not from within the effect: a room is told one thing at a time.
            asyncio.get_running_loop().call_soon(self._not_saved, room_id, effect.draft, problem)
        else:
            if connection := self._connection(effect.draft.conn_id):
                connection.saving += 1

    def _not_saved(self, room_id: str, draft: do.Draft, problem: CwrkError) -> None:
        self._tell(room_id, lambda room: room.feed.not_saved(draft, problem))

    async def _read_log(self, room_id: str, effect: do.ReadLog) -> None:
        events: list[Event] = []
        try:
            events = await self._after(room_id, effect.after, READ_LOG_PAGE)
        finally:
            self._tell(room_id, lambda room: room.feed.log_read(events))

    async def _replay(self, room_id: str, effect: do.Replay) -> None:
        connection = self._connection(effect.conn_id)
        if connection is None:
            return
        events: list[Event] | None = None
        try:
            await connection.drained()
            limit = min(REPLAY_PAGE, effect.upto - effect.after)
            events = await self._after(room_id, effect.after, limit)
        finally:
            self._tell(room_id, lambda room: room.feed.replayed(effect, events))

    async def _after(self, room_id: str, seq: int, limit: int) -> list[Event]:
        """From the cache, where it has all that is known of the log by now, else from PostgreSQL."""
        events: list[Event] | None = None
        if (head := self._known_head(room_id)) is not None:
            events = await self.fanout.cached(room_id, seq, limit, head)
        return await self.history.after(room_id, seq, limit) if events is None else events
