"""What a receiver knows of one incoming RTP stream (RFC 3550, appendix A): the sequence numbers extended
past their wraps, and the loss and jitter that its reports tell the sender. Pure; times in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: A step further than this is a restart of the source and not a loss (RFC 3550, appendix A.1).
MAX_DROPOUT: Final = 3000


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """RFC 3550, section 6.4.1. `fraction_lost` in 1/256, `jitter` in timestamp units, `last_report` the
    middle 32 bits of the last SR's NTP time and `delay` since then in 1/65536 s (both 0 without an SR)."""

    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    highest: int
    jitter: int
    last_report: int
    delay: int


class Reception:
    """One source, from its first packet on. A stream with another SSRC is another Reception."""

    __slots__ = (
        "_base",
        "_expected_before",
        "_jitter",
        "_received",
        "_received_before",
        "_report_at",
        "_report_ntp",
        "_transit",
        "clock_rate",
        "highest",
        "ssrc",
    )

    def __init__(self, ssrc: int, sequence: int, clock_rate: int) -> None:
        self.ssrc = ssrc
        self.clock_rate = clock_rate
        # One cycle up, so that packets from just before the first one have positive indexes too.
        self.highest = 0x10000 + sequence
        self._base = self.highest
        self._received = 0
        self._expected_before = 0
        self._received_before = 0
        self._jitter = 0.0
        self._transit: int | None = None
        self._report_ntp = 0
        self._report_at = 0.0

    def extend(self, sequence: int) -> tuple[int, bool]:
        """The packet's extended sequence number, and whether the source jumped, so that what comes now
        does not join on to what came before."""
        delta = (sequence - self.highest) & 0xFFFF
        self._received += 1
        if delta >= 0x8000:
            return self.highest + delta - 0x10000, False
        self.highest += delta
        if delta > MAX_DROPOUT:
            # The packets in between were never sent: they count as neither expected nor lost.
            self._base += delta - 1
            return self.highest, True
        return self.highest, False

    def repeated(self) -> None:
        """The packet just extended came because it was asked for: the network had lost it, and that is what
        the reports tell. (One that was only late counts as lost too.)"""
        self._received -= 1

    def arrived(self, timestamp: int, now: float) -> None:
        """Takes the packet's arrival into the jitter (RFC 3550, appendix A.8)."""
        transit = (int(now * self.clock_rate) - timestamp) & 0xFFFFFFFF
        if self._transit is not None:
            difference = (transit - self._transit) & 0xFFFFFFFF
            if difference >= 0x80000000:
                difference = 0x100000000 - difference
            self._jitter += (difference - self._jitter) / 16
        self._transit = transit

    def sender_report(self, ntp_middle: int, now: float) -> None:
        self._report_ntp = ntp_middle
        self._report_at = now

    def report(self, now: float) -> ReportBlock:
        """The block for the next report; the fraction counts since the last one."""
        expected = self.highest - self._base + 1
        lost = max(-0x800000, min(0x7FFFFF, expected - self._received))
        expected_since = expected - self._expected_before
        lost_since = expected_since - (self._received - self._received_before)
        self._expected_before = expected
        self._received_before = self._received
        fraction = 0
        if expected_since > 0 and lost_since > 0:
            fraction = min(255, (lost_since << 8) // expected_since)
        delay = 0
        if self._report_ntp:
            delay = min(0xFFFFFFFF, int((now - self._report_at) * 65536))
        return ReportBlock(
            self.ssrc,
            fraction,
            lost,
            self.highest & 0xFFFFFFFF,
            int(self._jitter) & 0xFFFFFFFF,
            self._report_ntp,
            delay,
        )
