"""The figures of a load: of the last second, and of all of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench.forward.arrivals import Arrivals
from bench.forward.client import Client
from bench.servers.server import Participant

#: Listeners whose packets' delays are taken.
PROBES: Final = 8


class Ears(Arrivals):
    """A listener whose packets are timed; `jitter` as in RFC 3550, 6.4.1, of all its slots, seconds."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.jitter = 0.0
        self._last: dict[bytes, float] = {}

    def take(self, slot: bytes, delay: float) -> None:
        super().take(slot, delay)
        last = self._last.get(slot, delay)
        self._last[slot] = delay
        self.jitter += (abs(delay - last) - self.jitter) / 16


@dataclass(frozen=True)
class Figures:
    """Of some time. Delays are there and back: from the speaker's encryption to the listener's kernel."""

    seconds: float
    people: int
    speaking: int
    sent_per_second: float
    received_per_second: float
    lost_share: float
    delay_p50_ms: float | None
    delay_p99_ms: float | None
    jitter_ms: float | None

    def line(self) -> str:
        def ms(value: float | None) -> str:
            return "–" if value is None else f"{value:.1f}"

        return (
            f"{self.people} in, {self.speaking} speak; {self.sent_per_second:,.0f} packets/s in,"
            f" {self.received_per_second:,.0f} out, lost {self.lost_share:.2%};"
            f" delay p50 {ms(self.delay_p50_ms)}, p99 {ms(self.delay_p99_ms)}, jitter {ms(self.jitter_ms)} ms"
        )


class Meter:
    """Call `second` once a second, `begin` when everybody has come, `all` at the end."""

    def __init__(self) -> None:
        self._began = self._mark = time.monotonic()
        self._at_first = (0, 0, 0)
        self._clients: set[Client] = set()
        self._ears: dict[Client, Ears] = {}
        self._before = (0, 0, 0)
        self._delays: list[float] = []
        self._jitters: list[float] = []

    def second(self, participants: Sequence[Participant]) -> Figures:
        """What happened since the last time."""
        now = time.monotonic()
        for participant in participants:
            self._clients |= participant.clients
            ears = participant.ears
            if ears is not None and ears not in self._ears and len(self._ears) < PROBES:
                self._ears[ears] = Ears(ears)
        totals = self._totals()
        delays = sorted(delay for each in self._ears.values() for delay in each.delays)
        for each in self._ears.values():
            each.delays.clear()
        self._delays += delays
        jitters = sorted(each.jitter for each in self._ears.values())
        self._jitters += jitters[len(jitters) // 2 : len(jitters) // 2 + 1]
        figures = self._figures(now - self._mark, participants, _less(totals, self._before), delays, jitters)
        self._before, self._mark = totals, now
        return figures

    def begin(self) -> None:
        """What was before does not count in `all`."""
        self._began, self._at_first = self._mark, self._before
        self._delays.clear()
        self._jitters.clear()

    def all(self, participants: Sequence[Participant]) -> Figures:
        """Of the time since `begin`, up to the last `second`."""
        counts = _less(self._before, self._at_first)
        return self._figures(
            self._mark - self._began, participants, counts, sorted(self._delays), sorted(self._jitters)
        )

    def _totals(self) -> tuple[int, int, int]:
        streams = [stream for client in self._clients for stream in client.streams.values()]
        return (
            sum(client.sent for client in self._clients),
            sum(stream.packets for stream in streams),
            sum(stream.lost for stream in streams),
        )

    def _figures(
        self,
        seconds: float,
        participants: Sequence[Participant],
        counts: tuple[int, int, int],
        delays: list[float],
        jitters: list[float],
    ) -> Figures:
        sent, received, lost = counts
        seconds = max(seconds, 1e-3)
        return Figures(
            seconds=round(seconds, 1),
            people=len(participants),
            speaking=sum(each.mouth is not None for each in participants),
            sent_per_second=sent / seconds,
            received_per_second=received / seconds,
            lost_share=max(0, lost) / max(1, received + lost),
            delay_p50_ms=delays[len(delays) // 2] * 1e3 if delays else None,
            delay_p99_ms=delays[len(delays) * 99 // 100] * 1e3 if delays else None,
            jitter_ms=jitters[len(jitters) // 2] * 1e3 if jitters else None,
        )


def _less(now: tuple[int, int, int], then: tuple[int, int, int]) -> tuple[int, int, int]:
    return now[0] - then[0], now[1] - then[1], now[2] - then[2]


def report(whole: Figures, joins: Sequence[float], asked: int, troubles: Sequence[str]) -> dict[str, Any]:
    """All that was found, as JSON; `joins` in seconds."""
    known = sorted(joins)
    return {
        **asdict(whole),
        "asked_for": asked,
        "came": len(known),
        "join_p50_ms": known[len(known) // 2] * 1e3 if known else None,
        "join_p95_ms": known[len(known) * 95 // 100] * 1e3 if known else None,
        "troubles": {each: list(troubles).count(each) for each in sorted(set(troubles))},
    }
