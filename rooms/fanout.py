"""How replicas hear of each other: notices by Redis, and a look at the tables that needs no Redis.

A notice says that a room's log reaches to a seq, or that its roster changed;
what happened is read from PostgreSQL. So a lost, late or repeated notice costs
time and nothing else. The look finds what notices missed: every 5 s while Redis
is well, every 500 ms without it.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Protocol

import asyncpg
import redis.asyncio
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from common import log
from common.errors import CwrkError
from rooms.presence import Presence, Standing

LOOK_SECONDS = 5.0
LOOK_WITHOUT_REDIS_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 2.0  # while PostgreSQL is away
RECONNECT_SECONDS = 1.0
REDIS_TIMEOUT_SECONDS = 1.0
QUIET_SECONDS = 5.0  # without a message the connection is pinged

# Notices waiting to be published. When it is full the newest is dropped: the look finds it.
LONGEST_QUEUE = 1000

ANCHOR = "rooms:replicas"  # keeps the subscription alive while no room is open

logger = log.get("rooms.fanout")

# What a lost, slow or confused Redis looks like from here.
LOST = (RedisError, OSError, TimeoutError)


class Rooms(Protocol):
    """Who listens: the hub."""

    def open_rooms(self) -> list[str]: ...
    def head(self, room_id: str, seq: int) -> None: ...
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
            )
        self._replica = replica
        self._presence = presence
        self._rooms = rooms
        self._outgoing: asyncio.Queue[tuple[str, int]] = asyncio.Queue(LONGEST_QUEUE)
        self._subscriptions = asyncio.Event()  # set: the rooms to listen to have changed
        self._well = False
        self._became_unwell = asyncio.Event()

    def rooms_changed(self) -> None:
        """A room was opened or closed here: listen to those that are open now."""
        self._subscriptions.set()

    def notify(self, room_id: str, seq: int = 0) -> None:
        """Tell the other replicas: the log reaches to `seq`, or (0) the roster changed."""
        if self._well and not self._outgoing.full():
            self._outgoing.put_nowait((room_id, seq))

    async def run(self) -> None:
        """Speak, listen and look, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look())
            if self._redis is not None:
                group.create_task(self._speak(self._redis))
                group.create_task(self._listen(self._redis))

    async def close(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()

    async def _look(self) -> None:
        looked = True
        while True:
            pause = LOOK_SECONDS if self._well else LOOK_WITHOUT_REDIS_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause if looked else LOOK_AGAIN_SECONDS):
                    await self._became_unwell.wait()
            self._became_unwell.clear()
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

    async def _speak(self, client: redis.asyncio.Redis) -> None:
        while True:
            room_id, seq = await self._outgoing.get()
            try:
                await client.publish(channel(room_id), f"{self._replica} {seq}")
            except LOST:
                continue  # the look finds it; what has become of Redis is for the listener to say

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
            self._became_unwell.set()

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
            replica, _, seq = message["data"].partition(" ")
            if replica == self._replica or not seq.isdigit():
                return
            if int(seq):
                self._rooms.head(room_id, int(seq))
            else:
                await self._look_at([room_id])


def channel(room_id: str) -> str:
    """In braces what Redis Cluster hashes: all keys of a room are in one place."""
    return f"rooms:{{{room_id}}}"
