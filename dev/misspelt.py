"""Names that were meant to be settings and are none: a misspelt one would be passed over in silence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

import doctor.config
from dev.services import CONFIGS
from dev.settings import DEFAULTS

#: How alike two names are (difflib), 0 to 1: one letter of eight that is wrong, or in the wrong place.
ALIKE = 0.87


def known(example: Path) -> set[str]:
    """The settings of all services, of `make run`, and of `make up`, which `example` (.env.example) has."""
    ours = {
        field.metadata["env"] for kind in (*CONFIGS.values(), doctor.config.Config) for field in fields(kind)
    }
    lines = example.read_text().splitlines()
    return ours | DEFAULTS.keys() | {line.lstrip("#").partition("=")[0] for line in lines if "=" in line}


def misspelt(names: Iterable[str], settings: set[str]) -> Iterator[str]:
    """A sentence for each of `names` that is none of `settings` and nearly one. Others' names are theirs."""
    for name in sorted(set(names) - settings):
        if near := difflib.get_close_matches(name, settings, n=1, cutoff=ALIKE):
            yield f"{name} is no setting, and nobody reads it. Is it {near[0]} that you mean?"
