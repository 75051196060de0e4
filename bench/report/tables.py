"""Markdown tables of what the result files hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bench.report.store import Spread

#: How servers are called in tables and plots, in their order.
SERVERS: Final = {
    "native": "ours, in C",
    "python": "ours, in Python",
    "janus": "Janus",
    "pion": "Pion",
    "werift": "werift",
    "mediarelay": "MediaRelay",
}


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def spreads(runs: Mapping[str, Sequence[Any]], value: Callable[[Any], float | None]) -> dict[str, Spread]:
    """By server, in the order of SERVERS; without those of which there is nothing."""
    found: dict[str, Spread] = {}
    for server in SERVERS:
        known = [each for run in runs.get(server, ()) if (each := value(run)) is not None]
        if known:
            found[server] = Spread.of(known)
    return found


def by_scenario(
    scenarios: Mapping[str, Mapping[str, Any]], key: str, *, digits: int, against: str | None = None
) -> str:
    """A row for each scenario, a column for each server; `against`: and what share of it ours in C has."""
    found = {name: spreads(scenario["runs"], lambda run: run[key]) for name, scenario in scenarios.items()}
    servers = [server for server in SERVERS if any(server in row for row in found.values())]
    heads = ["", *(SERVERS[server] for server in servers)]
    compared = against is not None and against in servers
    if compared:
        heads.append(f"ours, in C / {SERVERS[against or '']}")
    rows = []
    for name, row in found.items():
        cells = [name, *(row[each].text(digits) if each in row else "" for each in servers)]
        if compared:
            both = "native" in row and against in row
            cells.append(f"{row['native'].median / row[against or ''].median:.2f}" if both else "")
        rows.append(cells)
    return table(heads, rows)


def machine(found: Mapping[str, Any]) -> str:
    """One line: where, when, with what, as far as that is known."""
    words = [f"{found['cpu']}, {found['cores']} cores"]
    for name, form in (
        ("memory_mib", "{} MiB"),
        ("system", "{}"),
        ("kernel", "Linux {}"),
        ("python", "Python {}"),
        ("measured", "{}"),
    ):
        if name in found:
            words.append(form.format(found[name]))
    return ", ".join(words)
