"""A short storm, by a replica that is killed: everybody is back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(240)  # a machine may be slow
def test_everybody_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "storm.json"
    short = ("--people", "40", "--within", "1", "--every", "1", "--settled", "0.5")
    command = [sys.executable, "-m", "bench.storm", *short, "--how", "restart", "--json", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    assert (found["people"], found["not_back"]) == (40, 0)
    assert found["acked"] > 0
    assert (found["acked_and_lost"], found["unheard"]) == (0, 0)
    for phase in ("normal", "storm"):
        assert found[phase]["transactions"] > 0
        assert found[phase]["messages"] > 0
