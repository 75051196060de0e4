"""Password hashes: bcrypt over a keyed digest, in a few threads, with a queue that can be full.

bcrypt reads at most 72 bytes and stops at a zero byte, so two long passwords
could be one. We hash HMAC-SHA256 of the password instead, as 44 base64
characters: no zero bytes, and every byte of the password counts. The HMAC's key
is a constant of this program, not a secret: it keeps bare SHA-256 digests stolen
elsewhere from being tried here as passwords ("shucking").

The same password typed on two keyboards can differ in bytes. As RFC 8265
section 4.2 says, it is composed (NFC) and any space is a plain space; NFKC would
make different passwords equal.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

import bcrypt
from prometheus_client import Histogram

from common.errors import Unavailable

R = TypeVar("R")

# In front of every hash, so that another scheme can stand beside it later.
SCHEME = "h1"
DOMAIN = b"cwrkplanet password h1"
COST = re.compile(rf"{SCHEME}\$2b\$(\d\d)\$")


def digest(password: str) -> bytes:
    """What bcrypt hashes in the password's place: 44 ASCII bytes."""
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
    canonical = unicodedata.normalize("NFC", spaced)
    return base64.b64encode(hmac.digest(DOMAIN, canonical.encode(), hashlib.sha256))


def nobodys(cost: int) -> str:
    """A salt with a hash that no password has: verifying against it costs what a real one costs."""
    return f"{SCHEME}{bcrypt.gensalt(cost).decode()}{'.' * 31}"


class Passwords:
    """Makes and checks hashes, off the event loop. Close it with `async with`.

    `threads` run at once and `queue` more may wait; past that both methods raise
    Unavailable (PASSWORDS_BUSY) at once, since waiting longer than a call's
    deadline would only burn the core for nobody. A call that is cancelled before
    its turn is not hashed.
    """

    def __init__(self, *, cost: int, threads: int, queue: int) -> None:
        self._cost = cost
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        #: So many may be at work or wait, and these are: all of them come from the event loop's thread.
        self.places = threads + queue
        self._taken: set[Future[Any]] = set()
        self.seconds = Histogram(
            "cwrk_auth_password_seconds", "From asking for a hash to having it, with the wait.", registry=None
        )
        self._nobodys = nobodys(cost)

    async def hash(self, password: str) -> str:
        """A new hash of `password`, as text to store."""
        return await self._run(
            lambda: SCHEME + bcrypt.hashpw(digest(password), bcrypt.gensalt(self._cost)).decode()
        )

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether `stored` is a hash of `password`.

        Without `stored` (no such account) it takes as long, and is False.
        """
        against = (stored or self._nobodys).removeprefix(SCHEME).encode()
        holds = await self._run(lambda: bcrypt.checkpw(digest(password), against))
        return holds and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether `stored` was cheaper to make than hashes are now, or made in another way."""
        match = COST.match(stored)
        return match is None or int(match[1]) < self._cost

    async def _run(self, work: Callable[[], R]) -> R:
        if len(self._taken) >= self.places:
            raise Unavailable(
                "Too many people are logging in just now. Try again in a moment.",
                code="PASSWORDS_BUSY",
                retry_after=1.0,
            )
        future = self._pool.submit(work)
        self._taken.add(future)
        # The place is free when the work is over or was dropped, not when its caller went away.
        future.add_done_callback(self._taken.discard)
        with self.seconds.time():
            return await asyncio.wrap_future(future)

    @property
    def waiting(self) -> int:
        """Who is being hashed for or waits for it."""
        return len(self._taken)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
