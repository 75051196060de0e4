"""Deleting one's own account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from auth import people
from auth.accounts import Accounts
from auth.credentials import Credentials
from common import log
from common.database import Database
from common.tokens import Identity

logger = log.get("auth.leaving")


class Leaving:
    """Erases the account of whoever shows its password again."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        credentials: Credentials,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._credentials = credentials
        self._now = now

    async def delete(self, identity: Identity, password: str) -> None:
        """The sessions end; rooms hears of it, and shows what was said as said by nobody it knows.

        Raises Unauthenticated (SESSION_ENDED), Forbidden (PASSWORD_WRONG), TooMany, Unavailable.
        """
        await self._accounts.me(identity)
        account, _ = await self._credentials.confirm(identity.user_id, password)
        async with self._database.transaction() as connection:
            await people.erase(connection, account.id, self._now())
        logger.info("an account was deleted", user_id=account.id)
