"""The SQL of what a letter's link carries: each token is good once, for an hour, and kept as its digest."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Literal

from auth import revocations
from auth.accounts import Account
from auth.store import ACCOUNT, account_from
from common.database import Connection, Database

LIFETIME = timedelta(hours=1)
# Lets a secret scanner find one that leaked.
PREFIX = "cwrkm_"
TOKEN_BYTES = 32

Purpose = Literal["verify", "reset"]


def new_token() -> str:
    return PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class MailTokens:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def account_at(self, email_key: str) -> Account | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                f"SELECT {ACCOUNT} FROM auth.accounts a WHERE a.email_key = $1",  # noqa: S608  # our own names
                email_key,
            )
        return account_from(row) if row else None

    async def add(self, user_id: int, purpose: Purpose, token: str, now: datetime) -> None:
        async with self._database.connection() as connection:
            await connection.execute(
                "INSERT INTO auth.mail_tokens (hash, user_id, purpose, expires_at) VALUES ($1, $2, $3, $4)",
                digest(token),
                user_id,
                purpose,
                now + LIFETIME,
            )

    async def account_of_reset(self, token: str, now: datetime) -> Account | None:
        """Whose password a token may reset; it is not used up by asking."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                f"SELECT {ACCOUNT} FROM auth.mail_tokens t JOIN auth.accounts a ON a.id = t.user_id"  # noqa: S608
                " WHERE t.hash = $1 AND t.purpose = 'reset' AND t.expires_at > $2 AND a.disabled_at IS NULL",
                digest(token),
                now,
            )
        return account_from(row) if row else None

    async def verify(self, token: str, now: datetime) -> bool:
        """Use up a token: its account's address is proven."""
        async with self._database.transaction() as connection:
            user_id = await _use(connection, token, "verify", now)
            if user_id is None:
                return False
            await connection.execute(
                "UPDATE auth.accounts SET email_verified = true, updated_at = $2"
                " WHERE id = $1 AND NOT email_verified",
                user_id,
                now,
            )
            await connection.execute(
                "DELETE FROM auth.mail_tokens WHERE user_id = $1 AND purpose = 'verify'", user_id
            )
        return True

    async def reset(self, token: str, password_hash: str, now: datetime) -> bool:
        """Use up a token: the password is another, the address proven, every session ended."""
        async with self._database.transaction() as connection:
            user_id = await _use(connection, token, "reset", now)
            if user_id is None:
                return False
            await connection.execute(
                "UPDATE auth.accounts SET password_hash = $2, email_verified = true, updated_at = $3"
                " WHERE id = $1",
                user_id,
                password_hash,
                now,
            )
            await connection.execute("DELETE FROM auth.mail_tokens WHERE user_id = $1", user_id)
            await revocations.end_sessions(connection, user_id, now)
        return True


async def _use(connection: Connection, token: str, purpose: Purpose, now: datetime) -> int | None:
    """Whose token it was, the account's row locked. Of two who show it at once the second finds nothing."""
    # The account first: two of its tokens used at once would wait for each other.
    await connection.execute(
        "SELECT FROM auth.accounts"
        " WHERE id = (SELECT user_id FROM auth.mail_tokens WHERE hash = $1) FOR UPDATE",
        digest(token),
    )
    user_id: int | None = await connection.fetchval(
        "DELETE FROM auth.mail_tokens WHERE hash = $1 AND purpose = $2 AND expires_at > $3 RETURNING user_id",
        digest(token),
        purpose,
        now,
    )
    return user_id
