"""By letter: proving an address, and choosing another password.

Whoever asks for a letter gets the same answer at the same moment, whether the
address is known or not: the answer does not wait for the account to be looked
up, let alone for the letter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from auth import fields, letters
from auth.accounts import Account
from auth.attempts import Attempts
from auth.credentials import Credentials
from auth.mail import Letter
from auth.mail_tokens import MailTokens, new_token
from common import log
from common.errors import CwrkError, FieldError, InvalidFields

LETTERS_BEING_WRITTEN = 100

logger = log.get("auth.recovery")

# Where a letter goes; None where there is no mail.
Post = Callable[[Letter], object]


class Recovery:
    """Close it with `async with`: letters that are being written are finished."""

    def __init__(
        self,
        tokens: MailTokens,
        credentials: Credentials,
        attempts: Attempts,
        post: Post | None,
        public_url: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tokens = tokens
        self._credentials = credentials
        self._attempts = attempts
        self._post = post
        self._public_url = public_url
        self._now = now
        self._writing: set[asyncio.Task[None]] = set()

    def welcome(self, account: Account) -> None:
        """A new account: ask whether the address is theirs."""
        self._later(self._write_verification, fields.email_key(account.email))

    async def request_verification(self, email: str, address: str) -> None:
        """Raises TooMany, for known and unknown addresses alike."""
        email_key = fields.email_key(email)
        await self._attempts.reserve_letter(email_key, address)
        self._later(self._write_verification, email_key)

    async def request_reset(self, email: str, address: str) -> None:
        """Raises TooMany, for known and unknown addresses alike."""
        email_key = fields.email_key(email)
        await self._attempts.reserve_letter(email_key, address)
        self._later(self._write_reset, email_key)

    async def verify(self, token: str) -> None:
        """Raises InvalidFields (MAIL_TOKEN_INVALID)."""
        if not await self._tokens.verify(token, self._now()):
            raise _token_invalid()
        logger.info("an address was verified")

    async def reset(self, token: str, password: str, address: str) -> None:
        """Another password; every session has ended. Raises InvalidFields (the token's, or the password's).

        A password that may not be chosen leaves the token as it was.
        """
        account = await self._tokens.account_of_reset(token, self._now())
        if account is None:
            raise _token_invalid()
        password_hash = await self._credentials.new_hash(
            password, email=account.email, display_name=account.display_name
        )
        if not await self._tokens.reset(token, password_hash, self._now()):
            raise _token_invalid()
        logger.info("a password was reset", user_id=account.id)
        # Whatever guessers have done to the account, its owner can log in now.
        await self._attempts.trust(fields.email_key(account.email), address)

    async def _write_verification(self, email_key: str, post: Post) -> None:
        account = await self._tokens.account_at(email_key)
        if account is None or account.email_verified or account.disabled:
            return
        token = new_token()
        await self._tokens.add(account.id, "verify", token, self._now())
        post(letters.verification(account.email, self._public_url, token))

    async def _write_reset(self, email_key: str, post: Post) -> None:
        account = await self._tokens.account_at(email_key)
        if account is None or account.disabled:
            return
        token = new_token()
        await self._tokens.add(account.id, "reset", token, self._now())
        post(letters.reset(account.email, self._public_url, token))

    def _later(self, write: Callable[[str, Post], Awaitable[None]], email_key: str) -> None:
        """Write a letter in the background; when too many are being written, this one is not."""
        if self._post is None:
            return
        if len(self._writing) >= LETTERS_BEING_WRITTEN:
            logger.warning("letter not written: too many at once")
            return
        task = asyncio.create_task(_written(write(email_key, self._post)))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        # Each is two statements with a deadline.
        await asyncio.gather(*self._writing)


async def _written(writing: Awaitable[None]) -> None:
    try:
        await writing
    except CwrkError as error:
        logger.warning("letter not written", reason=error.code)
    except Exception:
        logger.exception("letter not written")


def _token_invalid() -> InvalidFields:
    return InvalidFields(
        FieldError("token", "does not hold (any more); ask for another letter"), code="MAIL_TOKEN_INVALID"
    )
