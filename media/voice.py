"""A voice, as the Worker keeps it."""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from media.address import Path
from media.negotiation import Offer
from media.packet_loop import Rates, SlotNumbers
from media.participant import Allowance
from media.quality import Quality
from media.sequence import OPUS_CLOCK
from media.transport import Transport

#: Seconds between two reports to a participant.
REPORT_INTERVAL: Final = 5.0


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
    opened_at: float
    quality: Quality
    heard_at: float
    #: Whatever comes or does not, it is not lost before.
    safe_until: float
    report_at: float
    answers: int = 0
    restarted_at: float = -math.inf
    #: Where it is sent to, and when a check last came from there.
    path: Path | None = None
    checked_at: float = 0.0
    transport: Transport = field(init=False)


def new_voice(
    number: int,
    room_id: str,
    user_id: str,
    offer: Offer,
    *,
    muted: bool,
    rates: Rates,
    transport: Callable[[Callable[[bytes], None]], Transport],
    send: Callable[[Path, bytes], None],
) -> Voice:
    """A voice as the offer wants it. `transport` makes one that sends with what it is given, `send` what goes
    to a path."""
    now = time.monotonic()
    slots = tuple(
        SlotNumbers(
            line.mid,
            secrets.randbits(32),
            line.payload_type,
            line.level_id,
            line.mid_id,
            line.red_payload_type,
        )
        for line in offer.slots
    )
    voice = Voice(
        id=secrets.token_urlsafe(12),
        room_id=room_id,
        user_id=user_id,
        number=number,
        offer=offer,
        slots=slots,
        muted=muted,
        checks=Allowance(rates.checks),
        records=Allowance(rates.records),
        cname=secrets.token_urlsafe(12),
        report_ssrc=secrets.randbits(32),
        opened_at=now,
        quality=Quality(frozenset(each.ssrc for each in slots), OPUS_CLOCK),
        heard_at=now,
        safe_until=now,
        report_at=now + REPORT_INTERVAL * (0.2 + secrets.randbelow(60) / 100),
    )

    def send_there(datagram: bytes) -> None:
        if voice.path is not None:
            send(voice.path, datagram)

    voice.transport = transport(send_there)
    return voice
