"""The rules of accounts: register, log in, refresh. SQL, gRPC and the clock are elsewhere.

Field errors name fields as the REST API does (`displayName`), so that nobody
between here and the form has to translate them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from auth import fields, sessions
from auth.credentials import Credentials, password_problem
from auth.registration import Registration, admit
from auth.sessions import Limits, Origin, RefreshTokens, Session, Verdict
from auth.tokens import LIFETIME, Signer
from common import log
from common.errors import FieldError, Forbidden, InvalidFields, Unauthenticated
from common.tokens import Identity
from common.tokens import ended as session_ended

logger = log.get("auth.accounts")


@dataclass(frozen=True, slots=True)
class Account:
    """A person as everybody sees them."""

    id: int
    email: str
    email_verified: bool
    display_name: str
    avatar_url: str
    created_at: datetime
    updated_at: datetime
    administrator: bool = False
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account before it has an id."""

    email: str
    email_key: str
    display_name: str
    password_hash: str = field(repr=False)
    created_at: datetime
    invite: bytes | None = None  # the hash of the one it uses up


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a device holds: `access_token` proves who it is, `refresh_token` gets the next pair."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int  # seconds the access token lives


class Store(Protocol):
    """Where accounts and sessions last. Every method is one transaction."""

    async def add_account(
        self, new: NewAccount, open_session: Callable[[int], Session]
    ) -> tuple[Account, Session]:
        """Both or neither, and the invite. Raises Conflict (EMAIL_TAKEN), Forbidden (INVITE_INVALID)."""

    async def invite_holds(self, invite: bytes) -> bool: ...

    async def account_of_session(self, session_id: UUID) -> tuple[Account, Session] | None: ...

    async def add_session(self, session: Session, password_hash: str) -> bool:
        """False where the account is disabled, gone, or no longer has this password."""

    async def change_session(
        self, session_id: UUID, change: Callable[[Session], Session]
    ) -> tuple[Account, Session] | None:
        """Apply `change` (pure, quick) under the session's row lock and commit what it returns."""


class Accounts:
    """The rules. Raises the errors of common/errors.py; `now` is the clock, in UTC."""

    def __init__(
        self,
        store: Store,
        credentials: Credentials,
        signer: Signer,
        refresh_tokens: RefreshTokens,
        limits: Limits,
        *,
        registration: Registration = Registration.OPEN,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._credentials = credentials
        self._signer = signer
        self._refresh_tokens = refresh_tokens
        self._limits = limits
        self._registration = registration
        self._now = now

    async def register(
        self, *, email: str, display_name: str, password: str, origin: Origin, invite: str = ""
    ) -> tuple[Account, TokenPair]:
        """A new account, logged in.

        Raises InvalidFields, Conflict (EMAIL_TAKEN), Unavailable, TooMany; Forbidden by auth/registration.py.
        """
        used_up = await admit(self._registration, invite, self._store)
        wrong: list[FieldError] = []
        email = _checked("email", fields.email, email, wrong)
        display_name = _checked("displayName", fields.display_name, display_name, wrong)
        if problem := password_problem(password, email=email, display_name=display_name):
            wrong.append(FieldError("password", problem))
        if wrong:
            raise InvalidFields(*wrong)
        if used_up is None:
            password_hash = await self._credentials.first_hash(
                password, email=email, display_name=display_name, address=origin.address
            )
        else:  # the invite counts
            password_hash = await self._credentials.new_hash(password, email=email, display_name=display_name)
        now = self._now()
        account, session = await self._store.add_account(
            NewAccount(
                email=email,
                email_key=fields.email_key(email),
                display_name=display_name,
                password_hash=password_hash,
                created_at=now,
                invite=used_up,
            ),
            lambda user_id: sessions.open_session(user_id, origin, now, self._limits),
        )
        logger.info("registered", user_id=account.id, session_id=str(session.id))
        return account, self._pair(account, session, now)

    async def login(self, *, email: str, password: str, origin: Origin) -> tuple[Account, TokenPair]:
        """A new session. Raises what `Credentials.check` raises."""
        account, password_hash = await self._credentials.check(
            email=email, password=password, address=origin.address
        )
        now = self._now()
        session = sessions.open_session(account.id, origin, now, self._limits)
        # A password that was changed, or an account disabled, while this one was being hashed.
        if not await self._store.add_session(session, password_hash):
            raise Unauthenticated("The e-mail or the password is wrong.", code="INVALID_CREDENTIALS")
        logger.info("logged in", user_id=account.id, session_id=str(session.id))
        return account, self._pair(account, session, now)

    async def refresh(self, refresh_token: str, origin: Origin) -> TokenPair:
        """The next pair, by the rules of auth/sessions.py.

        Raises Unauthenticated: REFRESH_TOKEN_INVALID, REFRESH_TOKEN_REUSED (the
        session is over, and that is committed), SESSION_ENDED.
        """
        named = self._refresh_tokens.read(refresh_token)
        if named is None:
            raise Unauthenticated(
                "The refresh token does not hold; log in again.", code="REFRESH_TOKEN_INVALID"
            )
        session_id, generation = named
        now = self._now()
        verdict = Verdict.ENDED

        def use(session: Session) -> Session:
            nonlocal verdict
            session, verdict = sessions.use(session, generation, origin, now, self._limits)
            return session

        found = await self._store.change_session(session_id, use)
        if found is None or verdict is Verdict.ENDED:
            raise session_ended()
        account, session = found
        if account.disabled:
            raise Forbidden("This account has been disabled.", code="ACCOUNT_DISABLED")
        if verdict is Verdict.REPLAYED:
            logger.warning("refresh token reused", user_id=account.id, session_id=str(session_id))
            raise Unauthenticated(
                "This refresh token was used before, so its session was ended; log in again.",
                code="REFRESH_TOKEN_REUSED",
            )
        return self._pair(account, session, now)

    async def me(self, identity: Identity) -> Account:
        """The account of a session that is still alive. Raises Unauthenticated (SESSION_ENDED)."""
        found = await self._store.account_of_session(UUID(identity.session_id))
        if found is None or not found[1].alive(self._now()):
            raise session_ended()
        return found[0]

    def _pair(self, account: Account, session: Session, now: datetime) -> TokenPair:
        return TokenPair(
            access_token=self._signer.sign(
                user_id=account.id, session_id=session.id, display_name=account.display_name, now=now
            ),
            refresh_token=self._refresh_tokens.of(session),
            expires_in=int(LIFETIME.total_seconds()),
        )


def _checked(name: str, check: Callable[[str], str], raw: str, wrong: list[FieldError]) -> str:
    """The value to keep; what is wrong with it is added to `wrong`, so that all is told at once."""
    try:
        return check(raw)
    except fields.Wrong as error:
        wrong.append(FieldError(name, str(error)))
        return raw
