"""What was said and is not acked yet: sent until it is, over each new connection again. No socket here.

It keeps the server's own pace (`limits` of its hello), so that nothing is refused for haste, and the order in
which things were said. How many wait in it at once is the caller's to bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from client.models import Acked

RESEND_S = 10.0  # without an answer, over the same connection


@dataclass
class Saying:
    """One of them. `not_before`: the server asked to wait (slow mode, something behind it is down)."""

    client_msg_id: str
    type: str
    payload: Mapping[str, Any]
    acked: asyncio.Future[Acked]
    not_before: float = 0.0
    again_at: float = 0.0

    @property
    def due(self) -> float:
        return max(self.not_before, self.again_at)


@dataclass
class Outbox:
    """Times are of one monotonic clock, in seconds."""

    waiting: dict[str, Saying] = field(default_factory=dict)
    _per_second: float = 1.0
    _burst: float = 1.0
    _allowance: float = 0.0
    _counted_at: float = 0.0

    def connected(self, per_second: float, burst: float, now: float) -> None:
        """All are to be sent anew."""
        self._per_second, self._burst = per_second, burst
        self._allowance, self._counted_at = burst, now
        for saying in self.waiting.values():
            saying.again_at = 0.0

    def next(self, now: float) -> Saying | float:
        """The one to be sent now; or the seconds until there may be one."""
        first = min(self.waiting.values(), key=lambda saying: saying.due, default=None)
        if first is None:
            return RESEND_S
        self._allowance = min(self._burst, self._allowance + (now - self._counted_at) * self._per_second)
        self._counted_at = now
        wait = max(first.due - now, (1 - self._allowance) / self._per_second)
        if wait > 0:
            return wait
        self._allowance -= 1
        first.again_at = now + RESEND_S
        return first
