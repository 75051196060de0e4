"""The end of each room's log in Redis: the newest events, so that others need not ask PostgreSQL for them.

    rooms:{<room>}:log:<epoch>   a sorted set, its scores the seqs

It is always one run of the log without holes, as the script sees to it: what comes next
is added, what does not continue the run begins it anew, what is older is left out. So
whoever finds the head of the log in it, and the event after the one they have, has
everything in between. In braces is what Redis Cluster hashes: all of a room is in one place.
"""

from __future__ import annotations

from collections.abc import Sequence

import redis.asyncio

from rooms.core.events import Event
from rooms.log.notices import Unreadable, read_event, write_event

MOST_EVENTS = 500
KEEP_SECONDS = 3600
MOST_AT_ONCE = 1000  # keys looked through, or let go, in one command

# KEYS: the log, the channel. ARGV: the notice, how many to keep, for how long, the first new seq, how many
# events that are there already are to be replaced; then those, then the new ones, each a seq and its text.
# A replacement is for an event of the run: of a batch that does not continue it, nothing is used.
ADD = """
local first, replaced = tonumber(ARGV[4]), tonumber(ARGV[5])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
if last and tonumber(last) + 1 < first then
  redis.call('DEL', KEYS[1])
  last = nil
end
if not last or tonumber(last) + 1 == first then
  for i = 6, #ARGV, 2 do
    local seq, event = ARGV[i], ARGV[i + 1]
    local there = redis.call('ZREMRANGEBYSCORE', KEYS[1], seq, seq) > 0
    if there or i >= 6 + 2 * replaced then
      redis.call('ZADD', KEYS[1], seq, event)
    end
  end
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[2]))
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
return redis.call('PUBLISH', KEYS[2], ARGV[1])
"""


class LogCache:
    """Each method raises what a lost Redis raises."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client
        self._add = client.register_script(ADD)

    async def add(
        self,
        room_id: str,
        epoch: str,
        events: Sequence[Event],
        changed: Sequence[Event],
        notice: str,
    ) -> None:
        """A run of the log, committed, and earlier events that it has changed; publish `notice`."""
        values: list[str | int] = [notice, MOST_EVENTS, KEEP_SECONDS, events[0].seq, len(changed)]
        for event in (*changed, *events):
            values += [event.seq, write_event(event)]
        await self._add(keys=[key(room_id, epoch), channel(room_id)], args=values)

    async def after(self, room_id: str, epoch: str, seq: int, limit: int, head: int) -> list[Event] | None:
        """At most `limit` events after `seq`, as History.after; None where not all up to `head` is here."""
        name = key(room_id, epoch)
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.zrange(name, -1, -1, withscores=True)
            pipeline.zrange(name, seq + 1, "+inf", byscore=True, offset=0, num=limit)
            newest, found = await pipeline.execute()
        if not newest or newest[0][1] < head:
            return None
        try:
            events = [read_event(text) for text in found]
        except Unreadable:
            return None
        return events if events and events[0].seq == seq + 1 else None

    async def forget(self, room_id: str, epoch: str) -> None:
        """All of a room: what is in it must not be told any more."""
        await self._client.delete(key(room_id, epoch))

    async def forget_all(self) -> None:
        """The logs of all rooms."""
        names: list[str] = []
        async for name in self._client.scan_iter(match=key("*", "*"), count=MOST_AT_ONCE):
            names.append(name)
            if len(names) >= MOST_AT_ONCE:
                await self._client.unlink(*names)
                names.clear()
        if names:
            await self._client.unlink(*names)


def key(room_id: str, epoch: str) -> str:
    return f"rooms:{{{room_id}}}:log:{epoch}"


def channel(room_id: str) -> str:
    """Where the notices of a room are published."""
    return f"rooms:{{{room_id}}}"
