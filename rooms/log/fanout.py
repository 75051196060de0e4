"""How replicas hear of each other: notices by Redis, and a look at the tables that needs no Redis.

A notice brings what was committed to a room's log, or says that its roster changed.
Order and completeness never rest on it: a lost, late or repeated one costs time and
nothing else. The look finds what notices missed: every 5 s while Redis is well, every
500 ms without it. It has a connection of its own, and whoever listens only says which
rooms it is to look at: rooms whose rows are held keep no other room waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal, ParamSpec, Protocol
from uuid import UUID

import asyncpg
import redis.asyncio
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from common import log
from common.errors import CwrkError
from common.lifecycle import background
from rooms.core.events import Deleted, Edited, Event
from rooms.core.gestures import Gesture
from rooms.log.cache import LogCache, channel
from rooms.log.notices import Notice, Unreadable, read_notice, write_notice
from rooms.tables.presence import Presence, Standing

LOOK_SECONDS = 5.0
LOOK_WITHOUT_REDIS_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 2.0  # while PostgreSQL is away
RECONNECT_SECONDS = 1.0
REDIS_TIMEOUT_SECONDS = 1.0
BEAT_SECONDS = 1.0  # between two words to ourselves
DEAF_SECONDS = 5.0  # so long without hearing one, and nobody is heard

# Notices waiting to be published. When it is full the newest is dropped: the look finds it.
LONGEST_QUEUE = 1000
MOST_WITH_EVENTS = 100  # while more are waiting only heads are told: a slow Redis must not cost memory
# Rooms that Redis is to forget and could not be told. Past it all rooms are forgotten.
MOST_TO_FORGET = 10_000

# Where each replica says that it is there, and hears itself: a pub/sub that only seems alive brings nothing.
ANCHOR = "rooms:replicas"

logger = log.get("rooms.fanout")

P = ParamSpec("P")

# What a lost, slow or confused Redis looks like from here. RuntimeError is what uvloop says of a connection
# that is closed already when redis-py writes to it.
LOST = (RedisError, OSError, RuntimeError, TimeoutError)


class Deaf(TimeoutError):
    """Redis does not bring us what we say to ourselves."""


class Rooms(Protocol):
    """Who listens: the hub."""

    epoch: str

    def open_rooms(self) -> list[str]: ...
    def head(self, room_id: str, seq: int) -> None: ...
    def heard(self, room_id: str, events: Sequence[Event]) -> None: ...
    def show(self, room_id: str, gesture: Gesture) -> None: ...
    async def changed(self, room_id: str, msg_ids: Sequence[UUID]) -> list[Event]: ...
    def stands(self, standing: Standing) -> None: ...
    def gone(self, room_id: str) -> None: ...


class Fanout:
    """Everything here may fail without anybody but other replicas noticing, and they only later."""

    def __init__(self, redis_url: str, replica: str, presence: Presence, rooms: Rooms) -> None:
        self._redis: redis.asyncio.Redis | None = None
        if redis_url:
            self._redis = redis.asyncio.Redis.from_url(
                redis_url,
                socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
                socket_timeout=REDIS_TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 1),  # a pooled connection may be from before a restart
                decode_responses=True,
                encoding_errors="replace",  # what is not ours is unreadable, and no more than that
            )
        self._cache = LogCache(self._redis) if self._redis is not None else None
        self._replica = replica
        self._presence = presence
        self._rooms = rooms
        self._outgoing: asyncio.Queue[tuple[str, Notice | None]] = asyncio.Queue(LONGEST_QUEUE)
        self._subscriptions = asyncio.Event()  # set: the rooms to listen to have changed
        self._well = False
        self._why = "It has not been reached yet."
        self._beat_heard = 0.0  # by the loop's clock
        self._marked: set[str] = set()  # rooms to look at: of those that are open, or were
        self._look_now = asyncio.Event()
        self._to_forget: set[str] = set()
        self._all_to_forget = False
        self.unreadable = 0  # notices, since the start

    @property
    def waiting(self) -> int:
        """Notices that are to be told."""
        return self._outgoing.qsize()

    @property
    def state(self) -> Literal["ok", "degraded", "none"]:
        """Of Redis: "none" where there is none to be."""
        if self._redis is None:
            return "none"
        return "ok" if self._well else "degraded"

    async def trouble(self) -> str | None:
        """For /readyz: what is wrong with the way to other replicas. Nothing where none is to be."""
        return None if self._well or self._redis is None else self._why

    def rooms_changed(self) -> None:
        """A room was opened or closed here: listen to those that are open now."""
        self._subscriptions.set()

    def notify(self, room_id: str) -> None:
        """Tell the other replicas: the roster changed."""
        self._put(room_id, Notice(self._replica, self._rooms.epoch))

    def publish(self, room_id: str, events: Sequence[Event]) -> None:
        """Tell them what was committed, ascending."""
        run: list[Event] = []
        for event in events:
            if run and event.seq != run[-1].seq + 1:  # others wrote in between
                self._publish(room_id, run)
                run = []
            run.append(event)
        self._publish(room_id, run)

    def _publish(self, room_id: str, run: Sequence[Event]) -> None:
        events = tuple(run) if self._outgoing.qsize() < MOST_WITH_EVENTS else ()
        self._put(room_id, Notice(self._replica, self._rooms.epoch, run[-1].seq, events))

    def pass_on(self, room_id: str, gesture: Gesture) -> None:
        """Show them a gesture."""
        self._put(room_id, Notice(self._replica, self._rooms.epoch, gesture=gesture))

    def forget(self, room_id: str) -> None:
        """What Redis holds of the room's log is not to be told any more: a name, old messages, all of it.

        Where it cannot be told now it is before it counts as well again.
        """
        if not self._put(room_id, None):
            self._remember(room_id)

    def _put(self, room_id: str, notice: Notice | None) -> bool:
        """Whether there is a Redis, and room in the queue."""
        if not self._well or self._outgoing.full():
            return False
        self._outgoing.put_nowait((room_id, notice))
        return True

    def _remember(self, room_id: str) -> None:
        """To be forgotten later."""
        if len(self._to_forget) >= MOST_TO_FORGET:
            self._all_to_forget = True
            self._to_forget.clear()
        if not self._all_to_forget:
            self._to_forget.add(room_id)

    @property
    def _behind(self) -> bool:
        """Redis holds what it was to forget."""
        return self._all_to_forget or bool(self._to_forget)

    async def cached(self, room_id: str, seq: int, limit: int, head: int) -> list[Event] | None:
        """Events after `seq`, where Redis has all of the log from there to `head`."""
        if self._cache is None or not self._well or self._behind:
            return None
        try:
            return await self._cache.after(room_id, self._rooms.epoch, seq, limit, head)
        except LOST:
            return None

    def look(self) -> None:
        """Look at the tables now, for every open room."""
        self._mark(*self._rooms.open_rooms())

    def _mark(self, *room_ids: str) -> None:
        self._marked.update(room_ids)
        self._look_now.set()

    async def run(self) -> None:
        """Speak, listen and look, until cancelled; a fault in one does not end the others."""
        async with contextlib.AsyncExitStack() as running:
            await running.enter_async_context(background(self._look, "rooms.fanout.look"))
            if (client := self._redis) is not None and (cache := self._cache) is not None:
                talking = background(lambda: self._talk(client, cache), "rooms.fanout.talk")
                await running.enter_async_context(talking)
            await asyncio.Event().wait()

    async def close(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()

    async def _look(self) -> None:
        """One look at a time, however many rooms were marked meanwhile."""
        loop = asyncio.get_running_loop()
        looked_at = loop.time()  # at all rooms
        while True:
            next_at = looked_at + (LOOK_SECONDS if self._well else LOOK_WITHOUT_REDIS_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(next_at):
                    await self._look_now.wait()
            everywhere = loop.time() >= next_at
            self._look_now.clear()
            marked = self._marked.union(self._rooms.open_rooms() if everywhere else ())
            self._marked.clear()
            if not await self._look_at(marked):
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                self._mark(*marked)
            if everywhere:
                looked_at = loop.time()

    async def _look_at(self, room_ids: Collection[str]) -> bool:
        """Whether PostgreSQL answered."""
        if not room_ids:
            return True
        try:
            standings = await self._presence.standings(room_ids)
        except (CwrkError, asyncpg.PostgresError) as error:
            logger.debug("could not look", reason=type(error).__name__)
            return False
        for standing in standings:
            _tell(self._rooms.stands, standing)
        for room_id in set(room_ids) - {standing.room_id for standing in standings}:
            _tell(self._rooms.gone, room_id)
        return True

    async def _talk(self, client: redis.asyncio.Redis, cache: LogCache) -> None:
        """Listen to Redis and speak to it, as long as it can be reached; and again."""
        told = False
        while True:
            try:
                async with client.pubsub() as pubsub:
                    subscribed = set(self._rooms.open_rooms())
                    await pubsub.subscribe(ANCHOR, *map(channel, subscribed))
                    await self._forget_missed(cache)
                    logger.info("Redis is well")
                    self._well, told = True, False
                    self.look()  # what was said before we listened
                    async with asyncio.TaskGroup() as talk:
                        talk.create_task(self._speak(client, cache))
                        talk.create_task(self._hear(pubsub, subscribed))
                        talk.create_task(self._beat(client))
            except* LOST as lost:
                self._why = _why(lost)
                if not told:
                    reason = type(lost.exceptions[0]).__name__
                    logger.warning("Redis is lost; asking PostgreSQL instead", reason=reason)
                told = True
            finally:
                self._unwell()
            await asyncio.sleep(RECONNECT_SECONDS)

    def _unwell(self) -> None:
        """From here on look often, and look now: a notice may have been lost with the connection.

        Nor is what waits said any more: it could bring back what is to be forgotten.
        """
        if self._well:
            self._well = False
            self.look()
        while not self._outgoing.empty():
            room_id, notice = self._outgoing.get_nowait()
            if notice is None:
                self._remember(room_id)

    # --- speaking ---------------------------------------------------------------------------------------

    async def _speak(self, client: redis.asyncio.Redis, cache: LogCache) -> None:
        while not (self._behind or _to_end()):
            room_id, notice = await self._outgoing.get()
            if notice is None:
                await self._forget(cache, room_id)
                continue
            changed = await self._changed(room_id, notice)
            if changed is None:
                await self._forget(cache, room_id)
            try:
                if notice.events:
                    now = {event.seq: event for event in changed or ()}
                    events = [now.pop(event.seq, event) for event in notice.events]
                    text = write_notice(notice)
                    await cache.add(room_id, notice.epoch, events, list(now.values()), text)
                else:
                    await client.publish(channel(room_id), write_notice(notice))
            except LOST:
                continue  # the look finds it; what has become of Redis is for the listener to say
        raise ConnectionError("it has more to forget than it can be told")

    async def _changed(self, room_id: str, notice: Notice) -> list[Event] | None:
        """What was edited or deleted, read again: it stands in the cache as it does in the log.

        None where it cannot be read.
        """
        msg_ids = [e.body.msg_id for e in notice.events if isinstance(e.body, (Edited, Deleted))]
        if not msg_ids:
            return []
        try:
            return await self._rooms.changed(room_id, msg_ids)
        except (CwrkError, asyncpg.PostgresError, TimeoutError):
            return None
        except Exception:
            logger.exception("not read again", room_id=room_id)
            return None

    async def _forget(self, cache: LogCache, room_id: str) -> None:
        """A Redis that does not forget is none to be believed: raises what a lost one does."""
        try:
            await cache.forget(room_id, self._rooms.epoch)
        except BaseException:
            self._remember(room_id)
            raise

    async def _forget_missed(self, cache: LogCache) -> None:
        while self._behind:
            if self._all_to_forget:
                self._all_to_forget = False
                try:
                    await cache.forget_all()
                except BaseException:
                    self._all_to_forget = True
                    raise
            else:
                await self._forget(cache, self._to_forget.pop())

    # --- listening --------------------------------------------------------------------------------------

    async def _hear(self, pubsub: PubSub, subscribed: set[str]) -> None:
        changes = asyncio.create_task(self._subscriptions.wait())
        next_message: asyncio.Task[Any] | None = None
        try:
            while not _to_end():
                next_message = next_message or asyncio.create_task(pubsub.get_message(timeout=DEAF_SECONDS))
                await asyncio.wait({changes, next_message}, return_when=asyncio.FIRST_COMPLETED)
                if changes.done():
                    self._subscriptions.clear()
                    subscribed = await self._resubscribe(pubsub, subscribed)
                    changes = asyncio.create_task(self._subscriptions.wait())
                if next_message.done():
                    message, next_message = next_message.result(), None
                    if message is not None:
                        self._heard(message)
        finally:
            left = [task for task in (changes, next_message) if task is not None]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _beat(self, client: redis.asyncio.Redis) -> None:
        """Speak to ourselves, and raise where we are not heard."""
        clock = asyncio.get_running_loop().time
        self._beat_heard = clock()
        while not _to_end():
            with contextlib.suppress(*LOST):  # what is not said is not heard
                await client.publish(ANCHOR, self._replica)
            await asyncio.sleep(BEAT_SECONDS)
            if clock() - self._beat_heard > DEAF_SECONDS:
                raise Deaf

    async def _resubscribe(self, pubsub: PubSub, subscribed: set[str]) -> set[str]:
        wanted = set(self._rooms.open_rooms())
        if new := wanted - subscribed:
            await pubsub.subscribe(*map(channel, new))
        if old := subscribed - wanted:
            await pubsub.unsubscribe(*map(channel, old))
        return wanted

    def _heard(self, message: dict[str, Any]) -> None:
        room_id = message["channel"].partition("{")[2].partition("}")[0]
        if message["type"] == "subscribe" and room_id:
            self._mark(room_id)  # what was said between opening it and listening
        elif message["channel"] == ANCHOR:
            if message["data"] == self._replica:
                self._beat_heard = asyncio.get_running_loop().time()
        elif message["type"] == "message":
            self._read(room_id, message["data"])

    def _read(self, room_id: str, text: str) -> None:
        try:
            notice = read_notice(text)
        except Unreadable as error:
            self.unreadable += 1
            if self.unreadable.bit_count() == 1:  # the 1st, the 2nd, the 4th …
                logger.warning("a notice that cannot be read", reason=str(error), so_far=self.unreadable)
            return
        if notice.replica == self._replica or notice.epoch != self._rooms.epoch:
            return
        if notice.events:
            _tell(self._rooms.heard, room_id, notice.events)
        elif notice.head:
            _tell(self._rooms.head, room_id, notice.head)
        elif notice.gesture:
            _tell(self._rooms.show, room_id, notice.gesture)
        else:
            self._mark(room_id)


def _why(lost: ExceptionGroup[Exception]) -> str:
    if lost.subgroup(Deaf):
        return "Redis brings nothing of what is published, not even to who says it."
    return "Redis cannot be reached."


def _to_end() -> bool:
    """Whether this task was cancelled: while it connects, redis-py may make a lost connection of that."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _tell(say: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """A fault of ours in one room is no fault of Redis, and none of the other rooms'."""
    try:
        say(*args, **kwargs)
    except Exception:
        logger.exception("unexpected error")
