"""Tickets: each opens one websocket, once, in place of a token in the URL.

Who reads the tables, or a log with an address in it, cannot come in by it: only the
hash is kept, and a ticket that was used is gone. It is sealed: what anybody makes up
is refused without asking the tables, whose connections are there for members.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.database import Connection, Database
from common.errors import Malformed, Unauthenticated
from common.tokens import Identity
from rooms.core.rights import check_member
from rooms.cursors import Cursors
from rooms.tables.people import name_of
from rooms.tables.room_rows import find_room

TICKET_BYTES = 24
GOOD_SECONDS = 30
MOST_OPEN = 10  # of one person; the oldest goes
SWEEP = 100  # expired ones that each new one clears away


@dataclass(frozen=True, slots=True)
class Ticket:
    text: str
    good_until: datetime


class Tickets:
    """Each method is one transaction. All raise Unavailable when the database is lost."""

    def __init__(self, database: Database, seals: Cursors) -> None:
        self._database = database
        self._seals = seals

    async def create(self, room_id: UUID, identity: Identity) -> Ticket:
        """For a member. Raises NotFound, and Forbidden (NOT_A_MEMBER)."""
        text = self._seals.seal(_scope(room_id), secrets.token_urlsafe(TICKET_BYTES))
        async with self._database.transaction() as connection:
            check_member((await find_room(connection, room_id, identity.user_id)).role)
            # One at a time for a person, so that their tickets are counted right.
            await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", LOCK, identity.user_id % 2**31)
            await _sweep(connection, identity.user_id)
            good_until = await connection.fetchval(
                "INSERT INTO rooms.tickets (sha256, room_id, user_id, session_id, display_name, issued_at,"
                "  expires_at, good_until) VALUES ($1, $2, $3, $4, $5, $6, $7,"
                "  clock_timestamp() + make_interval(secs => $8)) RETURNING good_until",
                _sha256(text),
                room_id,
                identity.user_id,
                identity.session_id,
                name_of(identity),
                identity.issued_at,
                identity.expires_at,
                float(GOOD_SECONDS),
            )
        return Ticket(text, good_until)

    async def redeem(self, room_id: UUID, text: str) -> Identity:
        """Who it speaks for: as the token it was made with, which it ends with.

        Raises Unauthenticated (TICKET_INVALID) for one that is used, old, of another room or none.
        """
        try:
            self._seals.open(_scope(room_id), text)
        except Malformed:
            raise _invalid() from None
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "DELETE FROM rooms.tickets WHERE sha256 = $1 AND room_id = $2"
                " RETURNING *, good_until > clock_timestamp() AS good",
                _sha256(text),
                room_id,
            )
        if row is None or not row["good"]:
            raise _invalid()
        return Identity(
            user_id=row["user_id"],
            session_id=row["session_id"],
            display_name=row["display_name"],
            expires_at=row["expires_at"],
            token="",
            issued_at=row["issued_at"],
        )


def _scope(room_id: UUID) -> str:
    return f"ticket {room_id}"


def _invalid() -> Unauthenticated:
    return Unauthenticated("The ticket does not hold; get another.", code="TICKET_INVALID")


LOCK = 0x7469_636B  # any number that nobody else uses


async def _sweep(connection: Connection, user_id: int) -> None:
    """Make room for one more of this person's, and clear away what has expired."""
    await connection.execute(
        "DELETE FROM rooms.tickets WHERE sha256 IN (SELECT sha256 FROM rooms.tickets WHERE user_id = $1"
        " ORDER BY good_until DESC OFFSET $2)",
        user_id,
        MOST_OPEN - 1,
    )
    await connection.execute(
        "DELETE FROM rooms.tickets WHERE sha256 IN (SELECT sha256 FROM rooms.tickets"
        "  WHERE good_until < clock_timestamp() ORDER BY good_until LIMIT $1 FOR UPDATE SKIP LOCKED)",
        SWEEP,
    )


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
