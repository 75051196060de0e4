"""How many requests a person or an address may make, counted by the library `limits`.

A person who is signed in has an allowance of their own. Only requests without a
good token count against their address, so a class behind one NAT is never slowed
by each other's work; what guesses at passwords auth limits by itself, account by
account.

The count is in Redis, shared by all gateways, or in this process where there is
none. So that not each request asks Redis, a process takes a small part of an
allowance at a time and hands it out: a lease. A Redis that is lost refuses nobody.

The headers are those of draft-ietf-httpapi-ratelimit-headers:
`RateLimit-Policy: "person";q=600;w=60` and `RateLimit: "person";r=599;t=60`.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import redis.asyncio
import redis.exceptions
from aiohttp import web
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter

from common import log
from common.clients import network_of
from common.errors import TooMany

WINDOW_SECONDS = 60
# The parts an allowance is handed out in. What a process has not used of one is lost to the others.
PARTS, PART_MAX = 20, 50
LEASES_MAX = 50_000
REDIS_SECONDS = 0.2
REDIS_CONNECTIONS = 16
REDIS_AGAIN_SECONDS = 5.0

logger = log.get("gateway.rates")


@dataclass(slots=True)
class Lease:
    """A part of an allowance: `left` of it here, `remaining` beyond it, until the window `ends`."""

    policy: str
    limit: int
    left: int
    remaining: int
    ends: float
    spent: bool = False


# The lease that a request was counted in, for its headers.
RATE = web.RequestKey("rate", Lease)


class Rates:
    """`person` and `address`: requests a minute; 0: without end."""

    def __init__(self, redis_url: str, *, person: int, address: int) -> None:
        self._limits = {"person": person, "address": address}
        self._leases: OrderedDict[str, Lease] = OrderedDict()
        self._memory = FixedWindowRateLimiter(MemoryStorage())
        self._redis: FixedWindowRateLimiter | None = None
        if redis_url:
            self._pool = redis.asyncio.BlockingConnectionPool.from_url(
                redis_url,
                max_connections=REDIS_CONNECTIONS,
                timeout=REDIS_SECONDS,
                socket_timeout=REDIS_SECONDS,
                socket_connect_timeout=REDIS_SECONDS,
            )
            shared: dict[str, Any] = {"connection_pool": self._pool}  # or there would be no way to close it
            storage = RedisStorage(
                f"async+{redis_url}", implementation="redispy", key_prefix="gateway:rates", **shared
            )
            self._redis = FixedWindowRateLimiter(storage)
        self._redis_again = 0.0

    @property
    def redis_is_well(self) -> bool | None:
        """Whether Redis answered lately; None where there is none to be."""
        return time.monotonic() >= self._redis_again if self._redis else None

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._redis:
            await self._pool.disconnect()

    async def person(self, request: web.Request, user_id: int) -> None:
        """Count a request of somebody who is signed in. Raises TooMany."""
        await self._take(request, "person", str(user_id))

    async def address(self, request: web.Request, address: str) -> None:
        """Count a request of whoever is at this address. Raises TooMany."""
        await self._take(request, "address", network_of(address))

    async def _take(self, request: web.Request, policy: str, who: str) -> None:
        limit = self._limits[policy]
        if limit == 0:
            return
        key, now = f"{policy} {who}", time.time()
        lease = self._leases.get(key)
        if lease is None or lease.ends <= now or (lease.left == 0 and not lease.spent):
            lease = await self._lease(policy, limit, who, key, now)
        request[RATE] = lease
        if lease.left == 0:
            raise TooMany("Too many requests; wait a moment.", retry_after=max(1.0, lease.ends - now))
        lease.left -= 1

    async def _lease(self, policy: str, limit: int, who: str, key: str, now: float) -> Lease:
        part = max(1, min(limit // PARTS, PART_MAX))
        item = RateLimitItemPerMinute(limit)
        granted, ends, remaining = await self._count(item, f"{policy} {who}", part)
        ends = min(ends, now + WINDOW_SECONDS)
        there = self._leases.get(key)
        if there is not None and there.ends > now and not there.spent:  # somebody was as quick
            there.left += part if granted else 0
            there.remaining, there.spent = remaining, not granted
            return there
        lease = Lease(policy, limit, part if granted else 0, remaining, ends, spent=not granted)
        self._leases[key] = lease
        self._leases.move_to_end(key)
        while len(self._leases) > LEASES_MAX:
            self._leases.popitem(last=False)
        return lease

    async def _count(self, item: RateLimitItemPerMinute, key: str, part: int) -> tuple[bool, float, int]:
        if self._redis and time.monotonic() >= self._redis_again:
            try:
                async with asyncio.timeout(REDIS_SECONDS):
                    return await _hit(self._redis, item, key, part)
            except (redis.exceptions.RedisError, OSError, TimeoutError) as error:
                self._redis_again = time.monotonic() + REDIS_AGAIN_SECONDS
                logger.warning("counting without Redis", reason=type(error).__name__)
        return await _hit(self._memory, item, key, part)


async def _hit(
    limiter: FixedWindowRateLimiter, item: RateLimitItemPerMinute, key: str, part: int
) -> tuple[bool, float, int]:
    granted = await limiter.hit(item, key, cost=part)
    stats = await limiter.get_window_stats(item, key)
    return granted, stats.reset_time, stats.remaining


def mark(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Say in the answer how much is left."""
    lease = request.get(RATE)
    if lease is None:
        return
    seconds = max(0, round(lease.ends - time.time()))
    response.headers["RateLimit-Policy"] = f'"{lease.policy}";q={lease.limit};w={WINDOW_SECONDS}'
    response.headers["RateLimit"] = f'"{lease.policy}";r={lease.left + lease.remaining};t={seconds}'
