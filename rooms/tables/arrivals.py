"""Websockets that come and go, in the tables: seats and presence of many people in one transaction.

A crowd that comes back at once is the dearest that happens to PostgreSQL: person by person it would be
fifteen statements and two commits each. Together it is ten and one, for all who come in the same twentieth of
a second.
Locks are taken in one order: the rooms by id, people, then rows by room and person, seats before presence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from common.database import Connection, Database
from common.errors import CwrkError, Forbidden
from common.tokens import Identity
from common.tokens import ended as session_ended
from rooms.core.participant import Member
from rooms.core.rights import check_member
from rooms.tables.bans import IN_FORCE, banned
from rooms.tables.members import MEMBER
from rooms.tables.people import remember_all
from rooms.tables.presence import LEASE_SECONDS
from rooms.tables.room_rows import bump, gone
from rooms.tables.seats import SEAT_SECONDS, room_full
from rooms.tables.together import Outcomes, Together

# $1, $2: rooms and people, in the order in which they are locked.
COLUMNS = "$1::uuid[], $2::bigint[]"
PAIRS = f"unnest({COLUMNS}) AS a (room_id, user_id)"
RUNS = "expires_at > clock_timestamp()"

LOCK = (
    "SELECT id, max_participants, visibility FROM rooms.rooms WHERE id = ANY($1::uuid[]) ORDER BY id"
    " FOR NO KEY UPDATE"
)
FACTS = f"""
SELECT coalesce(m.role, '') AS role, b.until, b.user_id IS NOT NULL AS banned,
  EXISTS (SELECT FROM rooms.seats s
    WHERE s.room_id = a.room_id AND s.user_id = a.user_id AND s.{RUNS}) AS seated,
  (SELECT count(*) FROM rooms.seats s WHERE s.room_id = a.room_id AND s.{RUNS}) AS taken
FROM unnest({COLUMNS}) WITH ORDINALITY AS a (room_id, user_id, place)
LEFT JOIN rooms.members m USING (room_id, user_id)
LEFT JOIN rooms.bans b ON b.room_id = a.room_id AND b.user_id = a.user_id AND {IN_FORCE}
ORDER BY a.place
"""  # noqa: S608  # our own text

# A hand is of the one who sits there: who was gone so long does not find it up. $3: whether each was.
SIT = f"""
WITH lowered AS (
  UPDATE rooms.members m SET hand_raised_at = NULL
  FROM unnest({COLUMNS}, $3::boolean[]) AS a (room_id, user_id, newly)
  WHERE m.room_id = a.room_id AND m.user_id = a.user_id AND a.newly AND m.hand_raised_at IS NOT NULL)
INSERT INTO rooms.seats AS s (room_id, user_id, taken_at, seen_at, expires_at)
SELECT a.room_id, a.user_id, clock_timestamp(), clock_timestamp(),
  clock_timestamp() + make_interval(secs => $4)
FROM {PAIRS} ORDER BY a.room_id, a.user_id
ON CONFLICT (room_id, user_id) DO UPDATE SET
  taken_at = CASE WHEN s.expires_at > clock_timestamp() THEN s.taken_at ELSE clock_timestamp() END,
  seen_at = clock_timestamp(), expires_at = greatest(s.expires_at, excluded.expires_at)
"""  # noqa: S608

APPEAR = f"""
INSERT INTO rooms.presence (room_id, user_id, replica, expires_at)
SELECT a.room_id, a.user_id, $3, clock_timestamp() + make_interval(secs => $4)
FROM {PAIRS} ORDER BY a.room_id, a.user_id
ON CONFLICT (room_id, user_id, replica) DO UPDATE SET expires_at = excluded.expires_at
"""  # noqa: S608

STAND = f"""
SELECT m.room_id, {MEMBER} FROM {PAIRS} JOIN rooms.members m USING (room_id, user_id)
JOIN rooms.people p USING (user_id) JOIN rooms.heads h USING (room_id)
LEFT JOIN rooms.seats s USING (room_id, user_id)
"""  # noqa: S608

HOLD = f"""
UPDATE rooms.seats s
SET seen_at = clock_timestamp(), expires_at = clock_timestamp() + make_interval(secs => $3)
FROM (SELECT s.room_id, s.user_id FROM rooms.seats s JOIN {PAIRS} USING (room_id, user_id)
  ORDER BY s.room_id, s.user_id FOR NO KEY UPDATE OF s) held
WHERE s.room_id = held.room_id AND s.user_id = held.user_id
"""  # noqa: S608

VANISH = f"""
DELETE FROM rooms.presence p USING (SELECT p.room_id, p.user_id FROM rooms.presence p
  JOIN {PAIRS} USING (room_id, user_id) WHERE p.replica = $3
  ORDER BY p.room_id, p.user_id FOR UPDATE OF p) held
WHERE p.room_id = held.room_id AND p.user_id = held.user_id AND p.replica = $3
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody with a token, at the door of a room."""

    room_id: UUID
    identity: Identity


@dataclass(frozen=True, slots=True)
class Somebody:
    """Whose last websocket here is gone."""

    room_id: UUID
    user_id: int


class Arrivals:
    """Of one replica. All methods raise Unavailable when the database is lost.

    `counted(room_id, version)` hears of each room whose roster_version this has counted up by one.
    """

    def __init__(self, database: Database, replica: UUID, counted: Callable[[str, int], None]) -> None:
        self._database = database
        self._replica = replica
        self._counted = counted
        self._coming = Together(self._come, lambda arrival: arrival.room_id)
        self._leaving = Together(self._hold, lambda somebody: somebody.room_id)
        self._gone = Together(self._vanish, lambda somebody: somebody.room_id)

    async def admit(self, room_id: UUID, identity: Identity) -> Member:
        """A member's websocket: takes the seat again if one is free, and is connected to this replica.

        Raises NotFound, Unauthenticated, Forbidden (BANNED, NOT_A_MEMBER) and Conflict (ROOM_FULL).
        """
        return await self._coming.do(Arrival(room_id, identity))

    async def hold_seat(self, room_id: UUID, user_id: int) -> None:
        """The last websocket is gone: the seat stays for SEAT_SECONDS from now."""
        await self._leaving.do(Somebody(room_id, user_id))

    async def dropped(self, room_id: UUID, user_id: int) -> None:
        """Somebody is no longer connected to this replica, and the grace is over."""
        await self._gone.do(Somebody(room_id, user_id))

    # --- together ---------------------------------------------------------------------------------------

    async def _come(self, arrivals: Sequence[Arrival], alone: bool) -> Outcomes[Member]:
        """None for those whose room somebody else holds: nobody of another room waits for that."""
        order = sorted(arrivals, key=_place)
        async with self._database.transaction() as connection:
            rooms = await _lock(connection, {arrival.room_id for arrival in order}, wait=alone)
            there = [arrival for arrival in order if arrival.room_id in rooms]
            verdicts = await self._judge(connection, there, rooms)
            admitted = [arrival for arrival in there if not isinstance(verdicts[arrival], CwrkError)]
            versions: Mapping[UUID, int] = {}
            members: dict[tuple[UUID, int], Member] = {}
            if admitted:
                newly = [not verdicts[arrival] for arrival in admitted]
                pairs = _columns([_place(arrival) for arrival in admitted])
                await connection.execute(SIT, *pairs, newly, float(SEAT_SECONDS))
                await connection.execute(APPEAR, *pairs, self._replica, float(LEASE_SECONDS))
                versions = await bump(connection, sorted({arrival.room_id for arrival in admitted}))
                for row in await connection.fetch(STAND, *pairs):
                    stands = dict(row)
                    place = stands.pop("room_id"), row["user_id"]
                    members[place] = Member(**stands)
        self._tell(versions)

        def outcome(arrival: Arrival) -> Member | CwrkError | None:
            if arrival.room_id not in rooms:
                return gone() if alone else None
            verdict = verdicts[arrival]
            return verdict if isinstance(verdict, CwrkError) else members[_place(arrival)]

        return [outcome(arrival) for arrival in arrivals]

    async def _judge(
        self, connection: Connection, arrivals: Sequence[Arrival], rooms: Mapping[UUID, asyncpg.Record]
    ) -> dict[Arrival, bool | CwrkError]:
        """Why somebody may not come in; else whether they sit already."""
        facts = await connection.fetch(FACTS, *_columns([_place(arrival) for arrival in arrivals]))
        sat: Counter[UUID] = Counter()
        verdicts: dict[Arrival, bool | CwrkError] = {}
        for arrival, fact in zip(arrivals, facts, strict=True):
            room = rooms[arrival.room_id]
            verdict = _refusal(fact, private=room["visibility"] == "private")
            if verdict is None and not fact["seated"]:
                # After `max` was lowered there may be more seats than it allows: they stay.
                if fact["taken"] + sat[arrival.room_id] >= room["max_participants"]:
                    verdict = room_full()
                else:
                    sat[arrival.room_id] += 1
            verdicts[arrival] = fact["seated"] if verdict is None else verdict
        welcome = [each.identity for each in arrivals if not isinstance(verdicts[each], CwrkError)]
        deleted = await remember_all(connection, welcome) if welcome else set()
        return {
            each: session_ended() if each.identity.user_id in deleted else verdict
            for each, verdict in verdicts.items()
        }

    async def _hold(self, people: Sequence[Somebody], _alone: bool) -> Outcomes[bool]:
        async with self._database.connection() as connection:
            await connection.execute(HOLD, *_pairs(people), float(SEAT_SECONDS))
        return [True] * len(people)

    async def _vanish(self, people: Sequence[Somebody], alone: bool) -> Outcomes[bool]:
        async with self._database.transaction() as connection:
            rooms = await _lock(connection, {each.room_id for each in people}, wait=alone)
            here = [each for each in people if alone or each.room_id in rooms]
            versions = await bump(connection, sorted(rooms))
            await connection.execute(VANISH, *_pairs(here), self._replica)
        self._tell(versions)
        return [True if each in here else None for each in people]

    def _tell(self, versions: Mapping[UUID, int]) -> None:
        for room_id, version in versions.items():
            self._counted(str(room_id), version)


async def _lock(connection: Connection, room_ids: set[UUID], *, wait: bool) -> dict[UUID, asyncpg.Record]:
    """Those of these rooms that are there; where it does not `wait`, and that nobody else holds."""
    rows = await connection.fetch(LOCK if wait else f"{LOCK} SKIP LOCKED", sorted(room_ids))
    return {row["id"]: row for row in rows}


def _refusal(fact: asyncpg.Record, *, private: bool) -> CwrkError | None:
    if private and not fact["role"]:
        return gone()
    if fact["banned"]:
        return banned(fact["until"])
    try:
        check_member(fact["role"])
    except Forbidden as refusal:
        return refusal
    return None


def _place(arrival: Arrival) -> tuple[UUID, int]:
    return arrival.room_id, arrival.identity.user_id


def _pairs(people: Sequence[Somebody]) -> tuple[list[UUID], list[int]]:
    return _columns([(each.room_id, each.user_id) for each in people])


def _columns(pairs: Sequence[tuple[UUID, int]]) -> tuple[list[UUID], list[int]]:
    return [room_id for room_id, _ in pairs], [user_id for _, user_id in pairs]
