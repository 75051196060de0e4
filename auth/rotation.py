"""Which key signs and which ones verify, as time passes. Pure, but for `LiveRing`.

    made        shown      signs from          a newer one signs from       retired
    │ ≤ reread  │          made + delay        its made + delay             + a token's life
    └───────────┴──────────┴───────────────────┴────────────────────────────┴──────────

A verifier that meets a key it does not know fetches the set, but not more often
than every `refetch` seconds; so a key is shown for twice as long before anybody
signs with it, and whoever meets it may fetch it. Its age is in its file's name:
replicas that share the folder agree without speaking to each other.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from auth import keys
from auth.keys import KeyRing, SigningKey
from auth.tokens import LIFETIME
from common import log
from common.config import ConfigError
from common.tokens import LEEWAY_SECONDS

# Beyond a token's life, for clocks that differ.
MARGIN = timedelta(seconds=LEEWAY_SECONDS) + timedelta(minutes=1)

logger = log.get("auth.rotation")


@dataclass(frozen=True, slots=True)
class Pace:
    """How quickly keys change places; every service is told the same `refetch`."""

    refetch: timedelta = timedelta(seconds=30)
    life: timedelta = LIFETIME + MARGIN

    @property
    def delay(self) -> timedelta:
        """From being made to signing."""
        return 2 * self.refetch

    @property
    def reread(self) -> timedelta:
        """How often the folder is looked at."""
        return self.refetch / 6

    def signs_from(self, key: SigningKey) -> datetime:
        return key.made_at + self.delay

    def signing(self, ring: KeyRing, now: datetime) -> SigningKey:
        """The newest that has been shown long enough; the oldest, where none has."""
        shown = [key for key in ring.keys if self.signs_from(key) <= now]
        return shown[-1] if shown else ring.keys[0]

    def retired_at(self, ring: KeyRing, key: SigningKey) -> datetime | None:
        """When the last token it has signed is over; None while no newer one is known."""
        newer = ring.keys[ring.keys.index(key) + 1 :]
        return self.signs_from(newer[0]) + self.life if newer else None

    def verifying(self, ring: KeyRing, now: datetime) -> tuple[SigningKey, ...]:
        """Those that are not retired; the newest never is."""
        return tuple(
            key for key in ring.keys if (retired_at := self.retired_at(ring, key)) is None or now < retired_at
        )


def rotate(folder: Path, pace: Pace, now: datetime) -> SigningKey:
    """Make the key that signs next, and remove the files of those that are retired.

    Raises ConfigError as `keys.open_ring` does, and where the last rotation is not over yet.
    """
    ring = keys.open_ring(folder)
    newest = ring.keys[-1]
    if len(ring.keys) > 1 and now < pace.signs_from(newest):
        raise ConfigError(
            f"The key {newest.kid} waits to sign from {pace.signs_from(newest):%H:%M:%S} UTC on; "
            "rotate again after that."
        )
    keys.remove(folder, kept=pace.verifying(ring, now))
    return keys.add_signing_key(folder, now)


class LiveRing:
    """The folder's keys as they are now, read again every few seconds while `run` runs."""

    def __init__(self, folder: Path, ring: KeyRing, pace: Pace) -> None:
        self._folder = folder
        self._ring = ring
        self._pace = pace

    @property
    def signing(self) -> SigningKey:
        return self._pace.signing(self._ring, datetime.now(UTC))

    @property
    def jwks(self) -> str:
        """The public keys that verify, newest first, as a JSON Web Key Set (RFC 7517)."""
        return keys.jwks(self._pace.verifying(self._ring, datetime.now(UTC)))

    @property
    def refresh_secret(self) -> bytes:
        return self._ring.refresh_secret

    async def run(self) -> None:
        """Until cancelled. A folder that cannot be read just now changes nothing."""
        names: list[str] = []  # what was there when `ring` was read is not known: look once in any case
        while True:
            await asyncio.sleep(self._pace.reread.total_seconds())
            try:
                found = await asyncio.to_thread(keys.names, self._folder)
                if found == names:
                    continue
                ring = await asyncio.to_thread(keys.open_ring, self._folder)
            except (ConfigError, OSError) as error:
                logger.warning("signing keys not read again", reason=str(error))
                continue
            names = found
            before, self._ring = [key.kid for key in self._ring.keys], ring
            if before != (kids := [key.kid for key in ring.keys]):
                logger.info("signing keys changed", kids=kids)
