"""Results as JSON. A part that is measured again replaces what was known of it, and nothing else, so that a
long run can be made in pieces."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).resolve().parents[1] / "results"


def read(file: Path) -> dict[str, Any]:
    """What is in it; nothing where it does not exist."""
    try:
        return dict(json.loads(file.read_text()))
    except FileNotFoundError:
        return {}


def write(file: Path, found: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, indent=2) + "\n")


def update(file: Path, found: Mapping[str, Any]) -> None:
    """What was found stands in the file, in place of what did under the same names."""
    write(file, {**read(file), **found})


def merge(file: Path, part: str, found: Mapping[str, Any]) -> None:
    """The same within a part of the file."""
    update(file, {part: {**read(file).get(part, {}), **found}})


@dataclass(frozen=True)
class Spread:
    """The median of several runs, with the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        known = sorted(values)
        return cls(statistics.median(known), known[0], known[-1])

    def text(self, digits: int) -> str:
        if self.least == self.most:
            return f"{self.median:.{digits}f}"
        return f"{self.median:.{digits}f} ({self.least:.{digits}f} to {self.most:.{digits}f})"
