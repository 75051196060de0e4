"""Whether a figure grows: pure functions over what was seen of it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

#: The first share of a run in which caches fill, pools open and Python keeps what it will use again.
SETTLING = 0.25


@dataclass(frozen=True)
class Kind:
    """One figure of a process, and how much it may grow in an hour and still be called flat.

    What is not a leak moves a slope too: there are more people at one end of the run than at the other, and
    memory is given back late. A leak of one object a visit is hundreds of them an hour.
    """

    name: str
    unit: str
    share: float  # of its middle value
    least: float  # or so much, if that is more

    def __str__(self) -> str:
        return f"{self.name}, {self.unit}" if self.unit else self.name


MEMORY = Kind("memory", "MB", 0.04, 2.0)
FILES = Kind("files", "", 0.05, 3.0)
TASKS = Kind("tasks", "", 0.05, 3.0)
KINDS = (MEMORY, FILES, TASKS)


@dataclass(frozen=True)
class Trend:
    """How a figure went: with nobody there before and after, its middle and its slope an hour once settled.

    `left_hourly`: what stayed of it, nobody being there any more, for each hour that people came and went.
    """

    service: str
    kind: Kind
    before: float
    middle: float
    after: float
    hourly: float
    left_hourly: float

    @property
    def flat(self) -> bool:
        """What leaks grows while people come and go, and is still there when they have gone.

        By itself a slope of tasks is also one of how many people happened to be there.
        """
        return min(self.hourly, self.left_hourly) <= max(self.kind.share * self.middle, self.kind.least)


def trend(
    service: str, kind: Kind, before: float, seen: Sequence[tuple[float, float]], after: float
) -> Trend:
    """`seen`: (seconds, value), in the order they were seen; at least three of them."""
    settled = seen[int(SETTLING * len(seen)) :]
    slope = statistics.linear_regression(*zip(*settled, strict=True)).slope
    middle = statistics.median(value for _, value in settled)
    hours = (seen[-1][0] - seen[0][0]) / 3600
    return Trend(service, kind, before, middle, after, 3600 * slope, (after - before) / hours)
