"""A voice, as the Worker keeps it."""

from __future__ import annotations

import asyncio
import hashlib
import math
from dataclasses import dataclass, field

from media.address import Path
from media.negotiation import Offer
from media.packet_loop import SlotNumbers
from media.participant import Allowance
from media.quality import Quality
from media.transport import Transport


def contributor(room_id: str, user_id: str) -> int:
    """The speaker's number in the CSRC list of those who hear it: the same for a participant and room on any
    worker, for ever, and anybody who knows both can work it out."""
    return int.from_bytes(hashlib.sha256(f"{room_id}/{user_id}".encode()).digest()[:4], "big")


@dataclass(slots=True, eq=False)
class Voice:
    """One connection of a participant. `number` is its transport's, `offer` the newest of its offers."""

    id: str
    room_id: str
    user_id: str
    number: int
    offer: Offer
    slots: tuple[SlotNumbers, ...]
    muted: bool
    checks: Allowance
    records: Allowance
    cname: str
    report_ssrc: int
    quality: Quality
    heard_at: float
    report_at: float
    answers: int = 0
    restarted_at: float = -math.inf
    #: Where it is sent to, and when a check last came from there.
    path: Path | None = None
    checked_at: float = 0.0
    transport: Transport = field(init=False)
    task: asyncio.Task[None] = field(init=False)
