"""W3C Trace Context: one `traceparent` goes with a request through all services.

00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
   the whole request's id           this hop's id    flags
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

HEADER = "traceparent"
# Later versions begin the same way and may go on after the flags; ff is none.
SHAPE = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?")

# Of the request that is being handled; empty outside one.
current: ContextVar[str] = ContextVar(HEADER, default="")


def take_part(sent: str) -> str:
    """This hop's traceparent: of the trace that was `sent`, or of a new one where nothing good was."""
    match = SHAPE.fullmatch(sent)
    if match is None or (sent.startswith("00-") and match[3]):
        return f"00-{secrets.token_hex(16)}-{_hop()}-00"
    return f"00-{match[1]}-{_hop()}-{int(match[2], 16) & 1:02x}"


def _hop() -> str:
    # All zeros would be none; the lowest bit costs one of 2^64 ids.
    return f"{secrets.randbits(64) | 1:016x}"
