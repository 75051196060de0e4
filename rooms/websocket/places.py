"""How many websockets an address and a person may have at once, on this replica."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Self

from common.clients import Clients
from common.errors import TooMany
from rooms.config import Config


class Places:
    """`most` of each; 0: any number. Bounded by what there is: who has none takes no memory."""

    def __init__(self, most: int, whose: str) -> None:
        self._most = most
        self._whose = whose
        self._taken: Counter[str] = Counter()

    def take(self, who: str) -> None:
        """One more. Raises TooMany (TOO_MANY_CONNECTIONS)."""
        if self._most and self._taken[who] >= self._most:
            raise TooMany(
                f"Too many connections of one {self._whose}.", code="TOO_MANY_CONNECTIONS", retry_after=5.0
            )
        self._taken[who] += 1

    def give_back(self, who: str) -> None:
        self._taken[who] -= 1
        if not self._taken[who]:
            del self._taken[who]


@dataclass(frozen=True)
class Crowd:
    """Where websockets come from, and how many of one address and one person there are."""

    clients: Clients
    addresses: Places
    people: Places

    @classmethod
    def of(cls, config: Config) -> Self:
        return cls(
            Clients(config.trusted_proxies, config.forwarded_header),
            Places(config.address_websockets, "address"),
            Places(config.person_websockets, "person"),
        )
