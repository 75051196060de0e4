"""Short real runs of the comparison: the same load on our worker and on another server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.report import store

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.timeout(240)  # a machine may be slow


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_load_is_the_same_for_each_server(tmp_path: Path) -> None:
    file = tmp_path / "forward.json"
    servers = ["native", "python", "mediarelay"]
    run(
        *("bench.forward", "--only", "room of 5", "--seconds", "0.5", "--servers", *servers),
        *("--json", str(file)),
    )

    scenario = store.read(file)["scenarios"]["room of 5"]
    assert set(scenario["versions"]) | set(scenario["left_out"]) == set(servers)
    assert scenario["machine"]["kernel"]
    for name in ("native", "python"):
        (result,) = scenario["runs"][name]
        # Five people who hear four others; the load may be late on a busy machine, and then sends less.
        assert 0 < result["forwarded"] <= 5 * 4 * 25
        assert result["cpu_us"] > 0
        assert 0 < result["delay_p50_ms"] <= result["delay_p99_ms"]
    if "mediarelay" in scenario["runs"]:
        (relayed,) = scenario["runs"]["mediarelay"]
        # It encodes anew: that is dear, and there is no telling how late what was said is.
        assert relayed["cpu_us"] > result["cpu_us"]
        assert relayed["delay_p50_ms"] is None


def test_who_comes_hears_and_takes_memory(tmp_path: Path) -> None:
    joins, memory = tmp_path / "join.json", tmp_path / "memory.json"
    run("bench.join", "--joins", "3", "--servers", "native", "--json", str(joins))
    run("bench.memory", "--rooms", "1", "--servers", "native", "--json", str(memory))

    (join,) = store.read(joins)["runs"]["native"]
    assert 0 < join["p50_ms"] <= join["p95_ms"]
    (size,) = store.read(memory)["runs"]["native"]
    assert size > 0
