"""What has ended before its access tokens did, as auth streams it: kept here, so that nobody is asked.

    revocations = Revocations(auth)                    # an rpc.Client
    asyncio.create_task(revocations.run())
    Verifier(fetch, revocations)                       # refuses what has ended

While auth is away everything goes on with what is known. Nothing here needs
Redis. What is kept is bounded: an entry goes when the tokens it is about have
expired, and there are no more of them than logins in that time.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any, cast

from common import log, rpc
from common.errors import CwrkError
from common.tokens import LEEWAY_SECONDS, LIFETIME_SECONDS, Identity
from proto import auth_pb2, auth_pb2_grpc

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
# A service that has just started waits this long for the first word from auth, and then goes on without it.
SETTLE_SECONDS = 1.0
# After its tokens' own end, for clocks that differ.
MARGIN_SECONDS = 60

logger = log.get("revocations")


@dataclass(frozen=True, slots=True)
class Ended:
    """A session, an account's sessions opened before `at` (unix seconds), or an account for good.

    `session_id` is empty where it is about an account: then `user_id` is set.
    """

    id: int
    session_id: str
    user_id: int
    deleted: bool
    at: float


class Revocations:
    """Keeps what has ended, and tells `heard` of each once. `heard` must not wait."""

    def __init__(
        self,
        auth: rpc.Client,
        *,
        heard: Callable[[Ended], None] = lambda _ended: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._auth = auth
        self._heard = heard
        self._clock = clock
        self._sessions: set[str] = set()
        self._users: dict[int, float] = {}  # tokens made before this are refused
        self._kept: deque[tuple[float, Ended]] = deque()
        self._after_id = 0
        self._settled = asyncio.Event()
        self._started_at: float | None = None

    def ended(self, identity: Identity) -> bool:
        """Whether the session of a good token has ended."""
        self._drop_expired()
        return identity.session_id in self._sessions or identity.issued_at < self._users.get(
            identity.user_id, 0
        )

    async def settle(self) -> None:
        """Wait until what had ended before we started is known, at most a second from the first call."""
        if self._settled.is_set():
            return
        loop = asyncio.get_running_loop()
        if self._started_at is None:
            self._started_at = loop.time()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._started_at + SETTLE_SECONDS):
                await self._settled.wait()

    async def run(self) -> None:
        """Watch until cancelled, coming again whenever the stream ends."""
        pause = FIRST_PAUSE_SECONDS
        told = False
        while True:
            try:
                async with contextlib.aclosing(watch(self._auth, self._after_id)) as stream:
                    async for ended in stream:
                        pause, told = FIRST_PAUSE_SECONDS, False
                        if ended is None:
                            self._settled.set()
                        else:
                            self.add(ended)
            except CwrkError as error:
                if not told:
                    logger.warning("auth is away: going on with what is known", reason=error.code)
                told = True
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  # no secret
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def add(self, ended: Ended) -> None:
        """Refuse it from now on."""
        self._drop_expired()
        self._after_id = ended.id
        if ended.session_id:
            self._sessions.add(ended.session_id)
        else:
            # Of a deleted account no token is good, however its maker's clock went.
            before = float("inf") if ended.deleted else ended.at
            self._users[ended.user_id] = max(before, self._users.get(ended.user_id, 0))
        self._kept.append((ended.at + LIFETIME_SECONDS + LEEWAY_SECONDS + MARGIN_SECONDS, ended))
        self._heard(ended)

    def __len__(self) -> int:
        return len(self._kept)

    def _drop_expired(self) -> None:
        # They come by id, which is by time but for clocks that differ a little: the margin is for that.
        now = self._clock()
        while self._kept and self._kept[0][0] <= now:
            _, ended = self._kept.popleft()
            self._sessions.discard(ended.session_id)
            if not ended.session_id and not any(e.user_id == ended.user_id for _, e in self._kept):
                self._users.pop(ended.user_id, None)


async def watch(
    auth: rpc.Client, after_id: int, *, deletions_only: bool = False
) -> AsyncGenerator[Ended | None, None]:
    """One stream of auth's, until it ends; None when all that was there has been told.

    Raises Unavailable and the like.
    """
    stub = auth_pb2_grpc.AuthStub(cast(Any, auth.channel))
    request = auth_pb2.WatchRevocationsRequest(after_id=after_id, deletions_only=deletions_only)
    async for message in auth.stream(cast(Any, stub.WatchRevocations), request):
        yield None if message.WhichOneof("what") == "caught_up" else _ended(message)


def _ended(message: auth_pb2.Revocation) -> Ended:
    return Ended(
        id=message.id,
        session_id=message.session_id,
        user_id=message.user_id or message.deleted_user_id,
        deleted=message.WhichOneof("what") == "deleted_user_id",
        at=message.at / 1000,
    )
