"""Passwords as they are shown and chosen: counted, checked, refused, renewed.

Who asks for a password asks here, so no way to try one goes past auth/attempts.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from auth import fields, guessable
from auth.attempts import Attempts, Reservation
from auth.passwords import Passwords
from common import log
from common.errors import FieldError, Forbidden, InvalidFields, Unauthenticated, Unavailable

if TYPE_CHECKING:
    from auth.accounts import Account

logger = log.get("auth.credentials")


class Store(Protocol):
    """Where the hashes last."""

    async def find_account(self, email_key: str) -> tuple[Account, str] | None:
        """The account and its password hash."""

    async def account_by_id(self, user_id: int) -> tuple[Account, str] | None: ...

    async def renew_hash(self, user_id: int, old: str, new: str) -> bool:
        """The same password under another hash; False where the password has been changed meanwhile."""


class Credentials:
    """Checks passwords, within the limits of `attempts`."""

    def __init__(self, store: Store, passwords: Passwords, attempts: Attempts) -> None:
        self._store = store
        self._passwords = passwords
        self._attempts = attempts

    async def check(self, *, email: str, password: str, address: str) -> tuple[Account, str]:
        """The account whose password this is, and the hash it matched.

        Raises Unauthenticated (INVALID_CREDENTIALS), TooMany, Unavailable; and Forbidden
        (ACCOUNT_DISABLED), which only somebody with the right password is told.

        An unknown address and a wrong password get the same answer after the
        same work: who has an account here is nobody's business.
        """
        email_key = fields.email_key(email)
        async with self._reserved(await self._attempts.reserve_login(email_key, address)):
            found = await self._store.find_account(email_key)
            account, password_hash = found or (None, None)
            holds = await self._passwords.verify(password, password_hash)
            if account is None or password_hash is None or not holds:
                raise Unauthenticated("The e-mail or the password is wrong.", code="INVALID_CREDENTIALS")
        if account.disabled:
            raise Forbidden("This account has been disabled.", code="ACCOUNT_DISABLED")
        return account, await self._renewed(account, password, password_hash)

    async def confirm(self, user_id: int, password: str) -> tuple[Account, str]:
        """The account of somebody signed in who shows the password again, and its hash.

        Raises Forbidden (PASSWORD_WRONG), TooMany, Unavailable.
        """
        async with self._reserved(await self._attempts.reserve_confirmation(user_id)):
            found = await self._store.account_by_id(user_id)
            account, password_hash = found or (None, None)
            holds = await self._passwords.verify(password, password_hash)
            if account is None or password_hash is None or not holds:
                raise Forbidden("The password is wrong.", code="PASSWORD_WRONG")
        return account, password_hash

    async def new_hash(self, password: str, *, email: str, display_name: str, field: str = "password") -> str:
        """The hash of a password that may be chosen. Raises InvalidFields (naming `field`), Unavailable."""
        if problem := password_problem(password, email=email, display_name=display_name):
            raise InvalidFields(FieldError(field, problem))
        return await self._passwords.hash(password)

    async def first_hash(self, password: str, *, email: str, display_name: str, address: str) -> str:
        """That of an account which is opened from `address`. Raises TooMany too: there are so many a day."""
        reservation = await self._attempts.reserve_registration(address)
        try:
            return await self.new_hash(password, email=email, display_name=display_name)
        except Unavailable:
            await self._attempts.not_made(reservation)
            raise

    async def _renewed(self, account: Account, password: str, password_hash: str) -> str:
        """The hash, made anew where it is cheaper than they are now; as it was, where that cannot be."""
        if not self._passwords.outdated(password_hash):
            return password_hash
        try:
            renewed = await self._passwords.hash(password)
            if await self._store.renew_hash(account.id, password_hash, renewed):
                logger.info("renewed a password's hash", user_id=account.id)
                return renewed
        except Unavailable:
            pass  # at another login
        return password_hash

    @asynccontextmanager
    async def _reserved(self, reservation: Reservation) -> AsyncIterator[None]:
        """A try that counts, unless it succeeds or could not be made."""
        try:
            yield
        except Unavailable:
            await self._attempts.not_made(reservation)
            raise
        await self._attempts.succeeded(reservation)


def password_problem(password: str, *, email: str, display_name: str) -> str | None:
    """Why a password may not be chosen, for the person who chose it."""
    try:
        fields.new_password(password)
    except fields.Wrong as wrong:
        return str(wrong)
    return guessable.problem(password, email=email, display_name=display_name)
