"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    WELL = "well"
    ODD = "odd"  # works, or may work for others; worth a look
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """`about`: of which part. `said`: what is so. `do`: what to change, where something is to be changed."""

    about: str
    state: State
    said: str
    do: str = ""


def well(about: str, said: str) -> Finding:
    return Finding(about, State.WELL, said)


def odd(about: str, said: str, do: str) -> Finding:
    return Finding(about, State.ODD, said, do)


def wrong(about: str, said: str, do: str) -> Finding:
    return Finding(about, State.WRONG, said, do)
