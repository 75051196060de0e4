"""How replicas hear of each other: notices by Redis, and a look at the tables that needs no Redis.

A notice brings what was committed to a room's log, or says that its roster changed.
Order and completeness never rest on it: a lost, late or repeated one costs time and
nothing else. The look finds what notices missed: every 5 s while Redis is well, every
500 ms without it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Literal, Protocol
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
QUIET_SECONDS = 5.0  # without a message the connection is pinged

# Notices waiting to be published. When it is full the newest is dropped: the look finds it.
LONGEST_QUEUE = 1000
MOST_WITH_EVENTS = 100  # while more are waiting only heads are told: a slow Redis must not cost memory

ANCHOR = "rooms:replicas"  # keeps the subscription alive while no room is open

logger = log.get("rooms.fanout")

# What a lost, slow or confused Redis looks like from here. RuntimeError is what uvloop says of a connection
# that is closed already when redis-py writes to it.
LOST = (RedisError, OSError, RuntimeError, TimeoutError)


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
        self._look_now = asyncio.Event()
        self._unreadable = 0

    @property
    def state(self) -> Literal["ok", "degraded", "none"]:
        """Of Redis: "none" where there is none to be."""
        if self._redis is None:
            return "none"
        return "ok" if self._well else "degraded"

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
        """What Redis holds of the room's log is not to be told any more: a name, old messages, all of it."""
        self._put(room_id, None)

    def _put(self, room_id: str, notice: Notice | None) -> None:
        if self._well and not self._outgoing.full():
            self._outgoing.put_nowait((room_id, notice))

    async def cached(self, room_id: str, seq: int, limit: int, head: int) -> list[Event] | None:
        """Events after `seq`, where Redis has all of the log from there to `head`."""
        if self._cache is None or not self._well:
            return None
        try:
            return await self._cache.after(room_id, self._rooms.epoch, seq, limit, head)
        except LOST:
            return None

    def look(self) -> None:
        """Look at the tables now."""
        self._look_now.set()

    async def run(self) -> None:
        """Speak, listen and look, until cancelled; a fault in one does not end the others."""
        async with contextlib.AsyncExitStack() as running:
            await running.enter_async_context(background(self._look, "rooms.fanout.look"))
            if (client := self._redis) is not None and (cache := self._cache) is not None:
                speak, listen = (lambda: self._speak(client, cache)), (lambda: self._listen(client))
                await running.enter_async_context(background(speak, "rooms.fanout.speak"))
                await running.enter_async_context(background(listen, "rooms.fanout.listen"))
            await asyncio.Event().wait()

    async def close(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()

    async def _look(self) -> None:
        looked = True
        while True:
            pause = LOOK_SECONDS if self._well else LOOK_WITHOUT_REDIS_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause if looked else LOOK_AGAIN_SECONDS):
                    await self._look_now.wait()
            self._look_now.clear()
            looked = await self._look_at(self._rooms.open_rooms())

    async def _look_at(self, room_ids: list[str]) -> bool:
        """Whether PostgreSQL answered."""
        if not room_ids:
            return True
        try:
            standings = await self._presence.standings(room_ids)
            for standing in standings:
                self._rooms.stands(standing)
            for room_id in set(room_ids) - {standing.room_id for standing in standings}:
                self._rooms.gone(room_id)
        except (CwrkError, asyncpg.PostgresError) as error:
            logger.debug("could not look", reason=type(error).__name__)
            return False
        return True

    async def _speak(self, client: redis.asyncio.Redis, cache: LogCache) -> None:
        while True:
            room_id, notice = await self._outgoing.get()
            try:
                if notice is None:
                    await cache.forget(room_id, self._rooms.epoch)
                elif notice.events:
                    await self._add(cache, room_id, notice)
                else:
                    await client.publish(channel(room_id), write_notice(notice))
            except LOST:
                continue  # the look finds it; what has become of Redis is for the listener to say

    async def _add(self, cache: LogCache, room_id: str, notice: Notice) -> None:
        """What was edited or deleted is read again: it stands in the cache as it does in the log."""
        msg_ids = [e.body.msg_id for e in notice.events if isinstance(e.body, (Edited, Deleted))]
        changed: dict[int, Event] = {}
        if msg_ids:
            try:
                changed = {event.seq: event for event in await self._rooms.changed(room_id, msg_ids)}
            except (CwrkError, asyncpg.PostgresError, TimeoutError):
                await cache.forget(room_id, notice.epoch)
        events = [changed.pop(event.seq, event) for event in notice.events]
        await cache.add(room_id, notice.epoch, events, list(changed.values()), write_notice(notice))

    async def _listen(self, client: redis.asyncio.Redis) -> None:
        told = False
        while True:
            try:
                async with client.pubsub() as pubsub:
                    await pubsub.subscribe(ANCHOR, *map(channel, self._rooms.open_rooms()))
                    logger.info("Redis is well")
                    self._well, told = True, False
                    await self._look_at(self._rooms.open_rooms())  # what was said before we listened
                    await self._hear(pubsub)
            except LOST as error:
                if not told:
                    logger.warning("Redis is lost; asking PostgreSQL instead", reason=type(error).__name__)
                told = True
                self._unwell()
            await asyncio.sleep(RECONNECT_SECONDS)

    def _unwell(self) -> None:
        """From here on look often, and look now: a notice may have been lost with the connection."""
        if self._well:
            self._well = False
            self._look_now.set()

    async def _hear(self, pubsub: PubSub) -> None:
        subscribed = set(self._rooms.open_rooms())
        changes = asyncio.create_task(self._subscriptions.wait())
        quiet = 0
        next_message: asyncio.Task[Any] | None = None
        try:
            while True:
                next_message = next_message or asyncio.create_task(pubsub.get_message(timeout=QUIET_SECONDS))
                await asyncio.wait({changes, next_message}, return_when=asyncio.FIRST_COMPLETED)
                if changes.done():
                    self._subscriptions.clear()
                    subscribed = await self._resubscribe(pubsub, subscribed)
                    changes = asyncio.create_task(self._subscriptions.wait())
                if next_message.done():
                    message, next_message = next_message.result(), None
                    quiet = quiet + 1 if message is None else 0
                    if quiet > 1:
                        raise TimeoutError
                    if quiet:
                        await pubsub.ping()
                    else:
                        await self._heard(message)
        finally:
            changes.cancel()
            if next_message is not None:
                next_message.cancel()

    async def _resubscribe(self, pubsub: PubSub, subscribed: set[str]) -> set[str]:
        wanted = set(self._rooms.open_rooms())
        if new := wanted - subscribed:
            await pubsub.subscribe(*map(channel, new))
        if old := subscribed - wanted:
            await pubsub.unsubscribe(*map(channel, old))
        return wanted

    async def _heard(self, message: dict[str, Any]) -> None:
        room_id = message["channel"].partition("{")[2].partition("}")[0]
        if message["type"] == "subscribe" and room_id:
            await self._look_at([room_id])  # what was said between opening it and listening
        elif message["type"] == "message":
            await self._read(room_id, message["data"])

    async def _read(self, room_id: str, text: str) -> None:
        try:
            notice = read_notice(text)
        except Unreadable as error:
            self._unreadable += 1
            if self._unreadable.bit_count() == 1:  # the 1st, the 2nd, the 4th …
                logger.warning("a notice that cannot be read", reason=str(error), so_far=self._unreadable)
            return
        if notice.replica == self._replica or notice.epoch != self._rooms.epoch:
            return
        if notice.events:
            self._rooms.heard(room_id, notice.events)
        elif notice.head:
            self._rooms.head(room_id, notice.head)
        elif notice.gesture:
            self._rooms.show(room_id, notice.gesture)
        else:
            await self._look_at([room_id])
