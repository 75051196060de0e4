"""What the Worker counts itself. Packets count themselves where they are carried (`packet_loop.Counters`)."""

from __future__ import annotations

from collections import Counter
from typing import Final

from prometheus_client import Histogram

from media.quality import Score

#: Seconds.
JOINS: Final = (0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
ROUND_TRIPS: Final = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 1.0, 2.0)
JITTERS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2)
#: A part of 1.
LOSSES: Final = (0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
#: From 1.0 (bad) to 4.5; below 3.6 many are dissatisfied.
SCORES: Final = (1.5, 2.0, 2.6, 3.1, 3.6, 4.0, 4.2, 4.3, 4.4)


class Figures:
    """Of all voices together. Each voice's quality counts once a report, every 5 s."""

    def __init__(self) -> None:
        #: Why voices ended: `left` by their owner's or the rooms service's word, else as events tell it.
        self.ended = Counter({"left": 0, "timeout": 0, "taken_over": 0, "failed": 0, "worker_lost": 0})
        self.joined = Histogram(
            "cwrk_media_join_seconds", "From an offer to keys.", buckets=JOINS, registry=None
        )
        self.round_trips = Histogram(
            "cwrk_media_round_trip_seconds", "To participants and back.", buckets=ROUND_TRIPS, registry=None
        )
        self.jitters = Histogram(
            "cwrk_media_jitter_seconds", "The worse direction's.", buckets=JITTERS, registry=None
        )
        self.losses = Histogram(
            "cwrk_media_loss", "The worse direction's, a part of 1.", buckets=LOSSES, registry=None
        )
        self.scores = Histogram(
            "cwrk_media_score", "What listeners would say (E-model's MOS).", buckets=SCORES, registry=None
        )
        #: Packets that listeners asked for once more.
        self.questions = 0

    @property
    def histograms(self) -> tuple[Histogram, ...]:
        return self.joined, self.round_trips, self.jitters, self.losses, self.scores

    def scored(self, score: Score) -> None:
        if score.round_trip is not None:
            self.round_trips.observe(score.round_trip)
        self.jitters.observe(score.jitter)
        self.losses.observe(score.loss)
        self.scores.observe(score.mos)
