"""How often something may be tried: a password, a letter. Counted in PostgreSQL, before the try is made.

A try is reserved under row locks and given back when it succeeds. So many
guesses at once, at any number of replicas, get no more tries than one after the
other; and there is nothing that has to be up but the database, without which
nobody logs in anyway.

Each try counts for several keys at once, and every key has a rule: `free` tries,
then a wait that doubles with every further one up to `longest`. A wait ends by
itself: nobody is locked out for good. For a password:

    (account, address)   few: this is somebody guessing one person's password
    account              many, and a short longest wait: whoever guesses from many addresses
                         is slowed, and can delay the owner no longer than that
    address              many: a class behind one address logs in at once

An address from which the right password has come is trusted for the account:
there the account's own count does not apply, so strangers cannot keep the owner out.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from common.database import Connection, Database
from common.errors import TooMany

TRUSTED = timedelta(days=90)
LONGEST_MEMORY = timedelta(days=1)
# Past this many doublings every wait is the longest one.
MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class Rule:
    """`free` tries, then waits of `first`, twice that, … up to `longest`. After `forget` it starts anew."""

    kind: str
    free: int
    first: timedelta
    longest: timedelta
    forget: timedelta = LONGEST_MEMORY
    ends_with_success: bool = False  # a success starts it anew; else it gives back its own try alone

    def wait(self, count: int) -> timedelta:
        """How long the next try must wait after `count` of them."""
        if count < self.free:
            return timedelta(0)
        return min(self.first * (1 << min(count - self.free, MOST_DOUBLINGS)), self.longest)


PAIR = Rule("account at address", 5, timedelta(seconds=1), timedelta(minutes=5), ends_with_success=True)
ACCOUNT = Rule("account", 30, timedelta(seconds=1), timedelta(minutes=1))
ADDRESS = Rule("address", 100, timedelta(seconds=1), timedelta(minutes=15))
# Asked for again while signed in: whoever found an open laptop is no better off than at the door.
CONFIRMATION = Rule("confirmation", 5, timedelta(seconds=1), timedelta(minutes=5), ends_with_success=True)
# Accounts, where anybody may open one: a school does so in a morning, a script all night.
REGISTRATIONS = Rule("registrations", 500, timedelta(seconds=10), timedelta(minutes=5))
LETTERS_TO = Rule("letters to", 3, timedelta(minutes=1), timedelta(hours=1))
LETTERS_BY = Rule("letters by", 20, timedelta(seconds=10), timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Key:
    """What is counted, and by which rule."""

    rule: Rule
    digest: bytes

    @classmethod
    def of(cls, rule: Rule, *what: str) -> Key:
        named = "\0".join((rule.kind, *what))
        return cls(rule, hashlib.sha256(named.encode("utf-8", "surrogatepass")).digest())


@dataclass(frozen=True, slots=True)
class Reservation:
    """Tries that are counted already. `pair` is the key that a success makes trusted."""

    keys: tuple[Key, ...]
    pair: Key | None = None


class Attempts:
    """Reserves tries, and gives them back. `now` is the clock, in UTC.

    `registrations`: how many of an address there may be in a day before it waits; 0 for any.
    """

    def __init__(
        self,
        database: Database,
        *,
        registrations: int = REGISTRATIONS.free,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._registrations = replace(REGISTRATIONS, free=registrations)
        self._now = now

    async def reserve_login(self, email_key: str, address: str) -> Reservation:
        """A try at the password of `email_key`, whether there is such an account or not.

        Raises TooMany (TOO_MANY_ATTEMPTS) with the seconds to wait; then nothing is counted.
        """
        address = network(address)
        pair = Key.of(PAIR, email_key, address)
        keys = (pair, Key.of(ACCOUNT, email_key), Key.of(ADDRESS, address))
        return await self._reserve(keys, pair=pair)

    async def reserve_confirmation(self, user_id: int) -> Reservation:
        """A try at the password of somebody who is signed in. Raises TooMany."""
        return await self._reserve((Key.of(CONFIRMATION, str(user_id)),))

    async def reserve_registration(self, address: str) -> Reservation:
        """An account that is about to be opened from `address`: so many a day (UTC). Raises TooMany."""
        if not self._registrations.free:
            return Reservation(())
        today = self._now().date().isoformat()
        return await self._reserve((Key.of(self._registrations, network(address), today),))

    async def reserve_letter(self, email_key: str, address: str) -> None:
        """A letter to `email_key`, asked for from `address`. Raises TooMany."""
        await self._reserve((Key.of(LETTERS_TO, email_key), Key.of(LETTERS_BY, network(address))))

    async def succeeded(self, reservation: Reservation) -> None:
        """The password was right: the try is given back, the pair starts anew and is trusted."""
        await self._give_back(reservation, right=True)

    async def not_made(self, reservation: Reservation) -> None:
        """The try was not made after all: as if it had not been asked for."""
        await self._give_back(reservation, right=False)

    async def trust(self, email_key: str, address: str) -> None:
        """The owner has shown who they are by other means (a letter): they are let in from here."""
        pair = Key.of(PAIR, email_key, network(address))
        now = self._now()
        async with self._database.connection() as connection:
            await connection.execute(
                "INSERT INTO auth.attempts (key, count, last_at, blocked_until, trusted_until)"
                " VALUES ($1, 0, $2, $2, $3) ON CONFLICT (key) DO UPDATE"
                " SET count = 0, blocked_until = $2, trusted_until = $3",
                pair.digest,
                now,
                now + TRUSTED,
            )

    async def sweep(self, limit: int = 1000) -> int:
        """Delete at most `limit` rows that say nothing any more; how many it were."""
        now = self._now()
        async with self._database.connection() as connection:
            done = await connection.execute(
                "DELETE FROM auth.attempts WHERE key IN (SELECT key FROM auth.attempts"
                " WHERE last_at < $1 AND coalesce(trusted_until, $2) <= $2 LIMIT $3)",
                now - LONGEST_MEMORY,
                now,
                limit,
            )
        return int(done.split()[-1])

    async def _reserve(self, keys: tuple[Key, ...], *, pair: Key | None = None) -> Reservation:
        now = self._now()
        async with self._database.transaction() as connection:
            rows = await _lock(connection, keys, now)
            if pair is not None and (rows[pair].trusted_until or now) > now:
                keys = tuple(key for key in keys if key.rule is not ACCOUNT)
            # Only a rule makes wait: others who ask in the same moment, by a clock a little ahead, do not.
            waits = [rows[key].blocked_until - now for key in keys if rows[key].count >= key.rule.free]
            if waits and (wait := max(waits)) > timedelta(0):
                # Leaving by an exception rolls back: a try that is refused is not counted.
                raise TooMany(
                    "Too many attempts. Wait a little, then try again.",
                    code="TOO_MANY_ATTEMPTS",
                    retry_after=wait.total_seconds(),
                )
            for key in keys:
                row = rows[key]
                row.count = 1 if now - row.last_at > key.rule.forget else row.count + 1
                row.last_at, row.blocked_until = now, now + key.rule.wait(row.count)
            await _write(connection, {key: rows[key] for key in keys})
        return Reservation(keys, pair)

    async def _give_back(self, reservation: Reservation, *, right: bool) -> None:
        now = self._now()
        async with self._database.transaction() as connection:
            rows = await _lock(connection, reservation.keys, now)
            for key, row in rows.items():
                row.count = 0 if right and key.rule.ends_with_success else max(row.count - 1, 0)
                # What the other tries have earned stays; a wait that this one alone began is over.
                if row.count < key.rule.free:
                    row.blocked_until = now
            if right and reservation.pair is not None:
                rows[reservation.pair].trusted_until = now + TRUSTED
            await _write(connection, rows)
            await connection.execute(
                "DELETE FROM auth.attempts WHERE key = ANY($1::bytea[]) AND count = 0"
                " AND trusted_until IS NULL",
                [key.digest for key in rows],
            )


def network(address: str) -> str:
    """Who an address belongs to: itself, or the /64 that one subscriber has with IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)


@dataclass(slots=True)
class _Row:
    count: int
    last_at: datetime
    blocked_until: datetime
    trusted_until: datetime | None


async def _lock(connection: Connection, keys: tuple[Key, ...], now: datetime) -> dict[Key, _Row]:
    """The rows of `keys`, made where there is none, locked in one order everywhere."""
    digests = sorted(key.digest for key in keys)
    await connection.execute(
        "INSERT INTO auth.attempts (key, count, last_at, blocked_until)"
        " SELECT key, 0, $2, $2 FROM unnest($1::bytea[]) key ON CONFLICT (key) DO NOTHING",
        digests,
        now,
    )
    rows = await connection.fetch(
        "SELECT key, count, last_at, blocked_until, trusted_until FROM auth.attempts"
        " WHERE key = ANY($1::bytea[]) ORDER BY key FOR UPDATE",
        digests,
    )
    found = {row["key"]: _Row(*tuple(row)[1:]) for row in rows}
    return {key: found.get(key.digest) or _Row(0, now, now, None) for key in keys}


async def _write(connection: Connection, rows: dict[Key, _Row]) -> None:
    await connection.execute(
        "UPDATE auth.attempts a SET count = n.count, last_at = n.last_at,"
        " blocked_until = n.blocked_until, trusted_until = n.trusted_until"
        " FROM unnest($1::bytea[], $2::integer[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])"
        "   AS n (key, count, last_at, blocked_until, trusted_until) WHERE a.key = n.key",
        [key.digest for key in rows],
        [row.count for row in rows.values()],
        [row.last_at for row in rows.values()],
        [row.blocked_until for row in rows.values()],
        [row.trusted_until for row in rows.values()],
    )
