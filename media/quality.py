"""How good a voice is, as its participant lives it. Pure; times in seconds.

Both directions count: how what they say arrives here (our own reception), and how what we send arrives there
(their receiver reports). Of loss and jitter the worse direction's is told, for that is the one complained of.

The score is the E-model's (ITU-T G.107), simplified as VoIP does it:

    R   = 93.2 - Id - Ie
    Id  = 0.024 d + 0.11 max(0, d - 177.3)      delay d in ms (Cole and Rosenbluth, "Voice over IP
                                                performance monitoring", 2001)
    Ie  = 95 Ppl / (Ppl + Bpl)                  loss Ppl in %, at random
    MOS = 1 + 0.035 R + 7e-6 R (R - 60) (100 - R)

No ITU-T recommendation has figures for Opus. It sounds no worse than G.711 without loss, so that Ie starts at
0; for Bpl stands the 25.1 that G.113 has for G.711 with concealment, which Opus with its in-band FEC is not
below. The way from the server to the others is not in d: it is theirs.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from media.reception import MAX_DROPOUT, ReportBlock

#: Packet-loss robustness, %.
_BPL: Final = 25.1
#: A frame of Opus and its look-ahead (RFC 6716), seconds.
_CODEC: Final = 0.0265
#: Receiver reports come every 2.5 to 7.5 s; what was measured is believed for so long.
_STALE: Final = 15.0
#: Of so many of our sender reports it is remembered when they went.
_REPORTS: Final = 8
#: A reception's report counts modulo this.
_MODULUS: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Score:
    """`round_trip` (None: not known) and `jitter` in seconds, `loss` from 0 to 1, `mos` from 1.0 to 4.5."""

    round_trip: float | None
    loss: float
    jitter: float
    mos: float


def mos(round_trip: float, loss: float, jitter: float) -> float:
    """What listeners would say of such a path: 4.4 is as good as it gets, below 3.6 many are dissatisfied."""
    delay = 1000 * (round_trip / 2 + 2 * jitter + _CODEC)  # a jitter buffer holds about twice the jitter
    percent = 100 * loss
    rating = 93.2 - 0.024 * delay - 0.11 * max(0.0, delay - 177.3) - 95 * percent / (percent + _BPL)
    if rating <= 0:
        return 1.0
    return max(1.0, 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating))


class _Direction:
    """The streams that go one way: their loss between reports, and the worst of their jitters."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, int]] = {}  # SSRC → highest, lost
        self._expected = self._lost = 0
        self._jitter = 0.0
        self._measured: tuple[float, float] | None = None
        self._at = 0.0

    def reported(self, block: ReportBlock, clock_rate: int) -> None:
        """The first report of a stream is where counting starts; a leap or a step back starts it anew."""
        before = self._seen.get(block.ssrc)
        self._seen[block.ssrc] = block.highest, block.cumulative_lost
        if before is None:
            return
        expected = (block.highest - before[0]) % _MODULUS
        if 0 < expected <= MAX_DROPOUT:
            self._expected += expected
            self._lost += min(expected, max(0, block.cumulative_lost - before[1]))
            self._jitter = max(self._jitter, block.jitter / clock_rate)

    def measured(self, now: float) -> tuple[float, float] | None:
        """Loss and jitter since the last call, or as they were lately."""
        if self._expected:
            self._measured, self._at = (self._lost / self._expected, self._jitter), now
            self._expected = self._lost = 0
            self._jitter = 0.0
        elif now - self._at > _STALE:
            self._measured = None
        return self._measured


class Quality:
    """One voice. `slots` are the SSRCs of what it is sent; reports of other streams are passed over."""

    def __init__(self, slots: frozenset[int], clock_rate: int) -> None:
        self._slots = slots
        self._clock_rate = clock_rate
        self._up, self._down = _Direction(), _Direction()
        self._sent: OrderedDict[int, float] = OrderedDict()
        self._round_trip: tuple[float, float] | None = None  # it, and when it was measured

    def report_sent(self, ntp_middle: int, now: float) -> None:
        """A sender report of ours goes out, known again by the middle of its NTP time. (That time itself is
        not counted with: the machine's clock may be set meanwhile, and a report may say anything.)"""
        self._sent[ntp_middle] = now
        if len(self._sent) > _REPORTS:
            self._sent.popitem(last=False)

    def heard(self, block: ReportBlock) -> None:
        """How their voice arrives, as we tell them."""
        self._up.reported(block, self._clock_rate)

    def told(self, block: ReportBlock, now: float) -> None:
        """How ours arrive, as they tell us."""
        if block.ssrc not in self._slots:
            return
        self._down.reported(block, self._clock_rate)
        sent = self._sent.get(block.last_report)
        if sent is not None and now - sent >= block.delay / 65536:
            self._round_trip = now - sent - block.delay / 65536, now

    def score(self, now: float) -> Score | None:
        """Since the last call; None while nothing is known of either direction."""
        if self._round_trip is not None and now - self._round_trip[1] > _STALE:
            self._round_trip = None
        directions = [each for each in (self._up.measured(now), self._down.measured(now)) if each]
        if not directions:
            return None
        round_trip = self._round_trip[0] if self._round_trip else None
        return Score(
            round_trip,
            max(loss for loss, _ in directions),
            max(jitter for _, jitter in directions),
            min(mos(round_trip or 0.0, loss, jitter) for loss, jitter in directions),
        )
