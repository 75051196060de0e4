"""A room's log on its way to the connections: in order, once each, without gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from common.errors import Conflict, CwrkError
from rooms.core import effects as do
from rooms.core.effects import Effect
from rooms.core.events import Event, announcement
from rooms.frames.incoming import Resume
from rooms.frames.outgoing import Resumed, error

FARTHEST_REPLAY = 2000  # events; who is farther behind fetches the history
REPLAY_PAGE = 50  # events at their longest fit the outbox
MOST_WAITING = 200  # live events of one connection, behind its replay
MOST_EARLY = 1000  # events ahead of a gap; past this they are let go, since the log has them

SLOW_READER = (4101, "SLOW_READER")


class Feed:
    """Values in, effects out, as Room, whose part it is.

    Events may come from our own commits, from notices and from reading the log,
    in any order: a lower seq than the next is dropped, a higher one kept until the
    gap before it is read. `happened` hears each as it is delivered, and adds what
    follows from it.
    """

    def __init__(
        self,
        room_id: str,
        epoch: str,
        delivered_seq: int,
        happened: Callable[[Event], list[Effect]] = lambda event: [],
    ) -> None:
        self.delivered_seq = delivered_seq
        self._happened = happened
        self._room_id = room_id
        self.epoch = epoch
        self.known_head = delivered_seq
        self._early: dict[int, Event] = {}
        self._reading = False
        self._from_seq: dict[str, int] = {}  # of each connection: live events are those after it
        self._replaying: dict[str, list[Event]] = {}  # and what is live waits here while a replay runs
        self._live: tuple[str, ...] | None = None  # those that hear live events; None: count again

    def connect(self, conn_id: str) -> None:
        self._from_seq[conn_id] = self.delivered_seq
        self._live = None

    def disconnect(self, conn_id: str) -> None:
        self._from_seq.pop(conn_id, None)
        self._replaying.pop(conn_id, None)
        self._live = None

    # --- appending --------------------------------------------------------------------------------------

    def saved(self, outcomes: Iterable[do.Saved]) -> list[Effect]:
        """Committed drafts: everybody hears, then the senders."""
        outcomes = list(outcomes)
        effects = self.events([outcome.event for outcome in outcomes if outcome.event is not None])
        return effects + [do.Send(o.draft.conn_id, o.ack, o.draft.ref_id) for o in outcomes]

    def not_saved(self, draft: do.Draft, problem: CwrkError) -> list[Effect]:
        """Nobody gets it; the sender hears why. `ref_id` falls back on the client_msg_id."""
        told = error(problem, draft.ref_id or draft.act.client_msg_id)
        return [do.Send(draft.conn_id, told, draft.ref_id)]

    # --- delivering -------------------------------------------------------------------------------------

    def events(self, events: Iterable[Event]) -> list[Effect]:
        """Events of the log, from anywhere and in any order."""
        effects: list[Effect] = []
        for event in self._in_turn(events):
            for waiting in self._replaying.values():
                waiting.append(event)
            if live := self._everybody_live():
                effects.append(do.Broadcast(live, announcement(self._room_id, event), event.seq))
            effects += self._happened(event)
        for conn_id, waiting in list(self._replaying.items()):
            if len(waiting) > MOST_WAITING:
                self._replay_ends(conn_id)
                effects.append(do.Disconnect(conn_id, *SLOW_READER))
        return effects + self._fill()

    def _everybody_live(self) -> tuple[str, ...]:
        """The same tuple until somebody comes or goes: the hub knows it again."""
        if self._live is None:
            self._live = tuple(conn_id for conn_id in self._from_seq if conn_id not in self._replaying)
        return self._live

    def _in_turn(self, events: Iterable[Event]) -> list[Event]:
        for event in events:
            self.known_head = max(self.known_head, event.seq)
            if event.seq > self.delivered_seq:
                self._early[event.seq] = event
        ready = []
        while (due := self._early.pop(self.delivered_seq + 1, None)) is not None:
            self.delivered_seq += 1
            ready.append(due)
        if len(self._early) > MOST_EARLY:
            self._early.clear()
        return ready

    def head(self, seq: int) -> list[Effect]:
        """The log is known to reach to `seq`, by a notice or by looking."""
        self.known_head = max(self.known_head, seq)
        return self._fill()

    def log_read(self, events: Iterable[Event]) -> list[Effect]:
        """The answer to ReadLog. Empty where it failed: the next notice asks again."""
        self._reading = False
        events = list(events)
        return self.events(events) if events else []

    def _fill(self) -> list[Effect]:
        if self._reading or self.known_head <= self.delivered_seq:
            return []
        self._reading = True
        return [do.ReadLog(self.delivered_seq)]

    # --- resuming ---------------------------------------------------------------------------------------

    def resume(self, conn_id: str, ref_id: str | None, resume: Resume) -> list[Effect]:
        """What came after `last_seq` and before this connection; live events wait until it is sent."""
        if conn_id in self._replaying:
            busy = Conflict("A replay is already running.", code="RESUME_PENDING")
            return [do.Send(conn_id, error(busy, ref_id), ref_id)]
        upto = self._from_seq[conn_id]
        missed = upto - resume.last_seq
        recovered = resume.epoch == self.epoch and 0 <= missed <= FARTHEST_REPLAY
        if not recovered or missed == 0:
            return [do.Send(conn_id, Resumed(recovered, resume.last_seq, upto), ref_id)]
        self._replaying[conn_id] = []
        self._live = None
        return [do.Replay(conn_id, ref_id, resume.last_seq, resume.last_seq, upto)]

    def replayed(self, replay: do.Replay, events: Iterable[Event] | None) -> list[Effect]:
        """A page of a replay, None where the log could not be read. After the last page: what waited."""
        conn_id = replay.conn_id
        if conn_id not in self._replaying:
            return []
        page = list(events or ())
        if page and page[0].seq != replay.after + 1:
            page = []  # the log begins later by now: what is left of it is no whole answer
        effects: list[Effect] = [self._send(conn_id, event) for event in page]
        if page and page[-1].seq < replay.upto:
            return [*effects, replace(replay, after=page[-1].seq)]
        waited = self._replay_ends(conn_id)
        resumed = Resumed(bool(page), replay.from_seq, replay.upto)
        effects.append(do.Send(conn_id, resumed, replay.ref_id))
        return effects + [self._send(conn_id, event) for event in waited]

    def _replay_ends(self, conn_id: str) -> list[Event]:
        self._live = None
        return self._replaying.pop(conn_id)

    def _send(self, conn_id: str, event: Event) -> do.Send:
        return do.Send(conn_id, announcement(self._room_id, event), seq=event.seq)
