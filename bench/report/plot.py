"""Bars as SVG: a group for each scenario, a bar for each server, the spread of the runs as a line on it.

This one kind of picture is small enough to be written down; a plotting library would be nine packages more
in the lock. It follows the reader's light or dark, as the pages it stands in do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from bench.report.store import Spread

_WIDTH: Final = 760
_LEFT: Final = 130
_RIGHT: Final = 150
_BAR: Final = 16
_GAP: Final = 4
_GROUP: Final = 18
_TOP: Final = 46
_STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 16px; font-weight: 600 } .name { font-weight: 600 } .value { font-size: 12px }
.bar { fill: #8c959f } .ours { fill: #1f6feb } .spread { stroke: #24292f; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .bar { fill: #6e7681 } .ours { fill: #58a6ff } .spread { stroke: #e6edf3 }
}
"""


@dataclass(frozen=True)
class Plot:
    """`groups`: by scenario and server. Bars past `cut` are cut off there, with their figure beside them."""

    title: str
    unit: str
    groups: Mapping[str, Mapping[str, Spread]]
    ours: Sequence[str]
    digits: int = 1
    cut: float | None = None

    def svg(self) -> str:
        most = max((bar.most for group in self.groups.values() for bar in group.values()), default=1.0)
        limit = most if self.cut is None else min(most, self.cut)
        scale = (_WIDTH - _LEFT - _RIGHT) / (limit or 1.0)
        lines: list[str] = []
        y = _TOP
        for name, group in self.groups.items():
            lines.append(f'<text class="name" x="8" y="{y + 12}">{escape(name)}</text>')
            y += _BAR + _GAP
            for server, bar in group.items():
                lines += self._bar(server, bar, y, scale, limit)
                y += _BAR + _GAP
            y += _GROUP
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" width="{_WIDTH}"'
            f' height="{y}" role="img" aria-label="{escape(self.title)}">'
        )
        title = f'<text class="title" x="8" y="24">{escape(self.title)}</text>'
        return "\n".join([head, f"<style>{_STYLE}</style>", title, *lines, "</svg>", ""])

    def _bar(self, server: str, bar: Spread, y: int, scale: float, limit: float) -> list[str]:
        length = min(bar.median, limit) * scale
        kind = "bar ours" if server in self.ours else "bar"
        middle = y + _BAR / 2
        least, most = (_LEFT + min(end, limit) * scale for end in (bar.least, bar.most))
        label = f"{bar.median:,.{self.digits}f} {self.unit}"
        at = max(_LEFT + length, most) + 8
        return [
            f'<text x="{_LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(server)}</text>',
            f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="2"/>',
            f'<line class="spread" x1="{least:.1f}" x2="{most:.1f}" y1="{middle}" y2="{middle}"/>',
            f'<text class="value" x="{at:.1f}" y="{y + 12}">{escape(label)}</text>',
        ]
