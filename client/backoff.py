"""When to come back after a connection has ended (docs/protocol.md, "Staying connected"). Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

#: Do not come back: bad request, not logged in, not allowed, no such room; and what breaks RFC 6455.
FINAL = frozenset({4000, 4001, 4003, 4004, 1002, 1003, 1007, 1009})
#: Come back now: the server restarts, the token ended, no sign of life.
AT_ONCE = frozenset({4200, 4201, 4202})
TOKEN_ENDED = 4201

FIRST_S = 0.5
LONGEST_S = 15.0
SETTLED_S = 5.0  # who lived this long was well: the next wait is short again


@dataclass
class Backoff:
    """Twice as long each time, and never the same for two who lost the same server."""

    rng: random.Random = field(default_factory=random.Random)
    attempts: int = 0

    def wait(self, close_code: int = 0, lived: float = 0.0) -> float:
        """Seconds, after a connection that `lived` so many; `close_code` 0: it was lost without one."""
        if lived >= SETTLED_S:
            self.attempts = 0
            if close_code in AT_ONCE:
                return 0.0
        ceiling: float = min(LONGEST_S, FIRST_S * 2 ** min(self.attempts, 10))
        self.attempts += 1
        return ceiling * self.rng.uniform(0.5, 1.0)
