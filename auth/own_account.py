"""What people do to their own account: its name, its password, its sessions.

Each rule begins with the session that asks: it has to be alive in the tables,
whatever its token says.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from auth import fields, sessions
from auth.accounts import Account, Store
from auth.credentials import Credentials
from auth.own_store import OwnStore
from auth.sessions import Session
from common import log
from common.errors import FieldError, Forbidden, InvalidFields, NotFound
from common.tokens import Identity
from common.tokens import ended as session_ended

logger = log.get("auth.own_account")


class OwnAccount:
    """Every method raises Unauthenticated (SESSION_ENDED) where the asker's session is over."""

    def __init__(
        self,
        store: Store,
        own: OwnStore,
        credentials: Credentials,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._own = own
        self._credentials = credentials
        self._now = now

    async def rename(self, identity: Identity, display_name: str | None) -> Account:
        """The account, with another name where one is given. Tokens tell it from the next refresh on.

        Raises InvalidFields.
        """
        account = await self._account(identity)
        if display_name is None:
            return account
        try:
            name = fields.display_name(display_name)
        except fields.Wrong as wrong:
            raise InvalidFields(FieldError("displayName", str(wrong))) from None
        renamed = await self._own.rename(account.id, name, self._now())
        if renamed is None:
            raise session_ended()
        return renamed

    async def change_password(self, identity: Identity, *, current: str, new: str) -> None:
        """Set another password and end every other session.

        Raises what `Credentials.confirm` raises, and InvalidFields (newPassword).
        """
        await self._account(identity)
        account, old_hash = await self._credentials.confirm(identity.user_id, current)
        new_hash = await self._credentials.new_hash(
            new, email=account.email, display_name=account.display_name, field="newPassword"
        )
        keep = UUID(identity.session_id)
        if not await self._own.change_password(account.id, old_hash, new_hash, keep, self._now()):
            raise Forbidden("The password is wrong.", code="PASSWORD_WRONG")  # it was changed meanwhile
        logger.info("changed the password", user_id=account.id)

    async def sessions(self, identity: Identity) -> list[Session]:
        """One's sessions that are alive, the one used last first."""
        account = await self._account(identity)
        return await self._own.sessions(account.id, self._now())

    async def logout(self, identity: Identity) -> None:
        """End the session that asks. Doing it twice is no error."""
        now = self._now()
        await self._store.change_session(
            UUID(identity.session_id), lambda session: sessions.revoke(session, now)
        )
        logger.info("logged out", user_id=identity.user_id, session_id=identity.session_id)

    async def end(self, identity: Identity, session_id: str) -> None:
        """End one of one's sessions. Raises NotFound for what is none; one that has ended is no error."""
        account = await self._account(identity)
        now = self._now()
        its_own = False

        def end(session: Session) -> Session:
            nonlocal its_own
            its_own = session.user_id == account.id
            return sessions.revoke(session, now) if its_own else session

        try:
            named = UUID(session_id)
        except ValueError:
            raise _no_session() from None
        if await self._store.change_session(named, end) is None or not its_own:
            raise _no_session()
        logger.info("ended a session", user_id=account.id, session_id=str(named))

    async def end_all(self, identity: Identity) -> None:
        """End every session of one's own, the one that asks too."""
        account = await self._account(identity)
        ended = await self._own.end_all(account.id, self._now())
        logger.info("ended all sessions", user_id=account.id, sessions=ended)

    async def _account(self, identity: Identity) -> Account:
        found = await self._store.account_of_session(UUID(identity.session_id))
        if found is None or not found[1].alive(self._now()):
            raise session_ended()
        return found[0]


def _no_session() -> NotFound:
    """Also for somebody else's: which sessions there are is nobody's business."""
    return NotFound("There is no such session.", code="SESSION_NOT_FOUND")
