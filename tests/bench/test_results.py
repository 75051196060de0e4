"""What is measured in pieces is one file, and the file a page with plots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.report import page, store
from bench.report.plot import Plot
from bench.report.store import Spread

MACHINE = {
    "cpu": "A processor",
    "cores": 2,
    "memory_mib": 2048,
    "system": "Debian",
    "kernel": "6.1",
    "python": "3.11.2",
    "measured": "2026-01-02",
    "load_before": 0.1,
}
SVG = "{http://www.w3.org/2000/svg}"


def result(cpu_us: float) -> dict[str, Any]:
    return {
        "cpu_us": cpu_us,
        "cpu_share": 0.02,
        "forwarded": 3000,
        "reached": 1.0,
        "lost": 0,
        "rate": 1000.0,
        "delay_p50_ms": 0.1,
        "delay_p99_ms": 0.4,
        "sent_share": 1.0,
        "resident_mib": 100.0,
    }


def scenario(native: list[float], **others: list[float]) -> dict[str, Any]:
    runs = {"native": native, **others}
    return {
        "machine": MACHINE,
        "versions": {name: f"{name} 1.0" for name in runs},
        "left_out": {"pion": "there is no go here"},
        "seconds": 3,
        "runs": {name: [result(cost) for cost in costs] for name, costs in runs.items()},
    }


def test_a_piece_replaces_itself_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "forward.json"
    store.merge(file, "scenarios", {"room of 5": scenario([4.0]), "room of 10": scenario([3.0])})

    store.merge(file, "scenarios", {"room of 5": scenario([2.0])})

    scenarios = json.loads(file.read_text())["scenarios"]
    assert [run["cpu_us"] for run in scenarios["room of 5"]["runs"]["native"]] == [2.0]
    assert [run["cpu_us"] for run in scenarios["room of 10"]["runs"]["native"]] == [3.0]


def test_a_figure_is_the_median_with_its_spread() -> None:
    assert Spread.of([5.0, 1.0, 2.0]).text(1) == "2.0 (1.0 to 5.0)"


def test_the_page_has_each_figure_and_what_was_left_out(tmp_path: Path) -> None:
    store.merge(
        tmp_path / "forward.json",
        "scenarios",
        {"room of 10": scenario([4.0, 6.0, 5.0], janus=[50.0, 40.0, 45.0])},
    )

    page.write(tmp_path)

    text = (tmp_path / "README.md").read_text()
    assert "| room of 10 | 5.0 (4.0 to 6.0) | 45.0 (40.0 to 50.0) | 0.11 |" in text
    assert "A processor, 2 cores, 2048 MiB, Debian, Linux 6.1, Python 3.11.2, 2026-01-02" in text
    assert "Pion is left out: there is no go here" in text
    assert "## Joining" not in text
    drawn = ElementTree.parse(tmp_path / "forward.svg").getroot()  # our own
    widths = [float(bar.get("width", "")) for bar in drawn.iter(f"{SVG}rect")]
    assert widths[1] / widths[0] == pytest.approx(9.0, rel=0.01)


def test_what_is_in_the_repository_is_what_its_files_say(tmp_path: Path) -> None:
    for file in store.FOLDER.glob("*.json"):
        (tmp_path / file.name).write_text(file.read_text())

    page.write(tmp_path)

    for file in tmp_path.iterdir():
        assert file.read_text() == (store.FOLDER / file.name).read_text(), (
            f"{file.name}: python -m bench --report"
        )


def test_the_table_of_a_document_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    store.write(
        tmp_path / "capacity.json",
        {
            "machine": MACHINE,
            "steps": [{"people": 100, "speaking": 30, "rooms": 10, "runs": {"native": [result(5.0)]}}],
        },
    )
    document = tmp_path / "capacity.md"
    document.write_text(f"Before.\n\n{page._BEGIN}\nold\n{page._END}\n\nAfter.\n")

    page.write_capacity(document, tmp_path)

    text = document.read_text()
    assert "| 100 | 30 | 1,000 | 2% |  | 100 MiB | 0.4 ms | 100.0% |" in text
    assert "old" not in text
    assert text.startswith("Before.")
    assert text.endswith("After.\n")


def test_a_bar_past_the_cut_ends_there_and_keeps_its_figure() -> None:
    groups = {"a <room>": {"ours": Spread(1.0, 0.5, 2.0), "theirs": Spread(500.0, 400.0, 600.0)}}
    drawn = ElementTree.fromstring(  # our own
        Plot("Cost", "µs", groups, ours=["ours"], cut=10.0).svg()
    )

    ours, theirs = (float(bar.get("width", "")) for bar in drawn.iter(f"{SVG}rect"))
    assert theirs / ours == pytest.approx(10.0, rel=0.01)
    assert {"a <room>", "500.0 µs"} <= {text.text for text in drawn.iter(f"{SVG}text")}
