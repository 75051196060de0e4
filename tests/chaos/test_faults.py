"""A few of the faults of `make chaos`, while a call and a chat go on. How long they take is not asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import network

VALKEY = "Valkey is killed"
ROLLING = "everything is restarted, one after the other"


@pytest.mark.timeout(300)  # a machine may be slow
def test_what_breaks_loses_nothing_and_comes_back_by_itself(tmp_path: Path) -> None:
    rows = tmp_path / "rows.json"
    command: list[str | Path] = [sys.executable, "-m", "tests.chaos.table", "--json", rows]
    done = subprocess.run(
        [*command, "--only", f"{VALKEY};{ROLLING}"], capture_output=True, text=True, check=False
    )
    if done.returncode == network.NOT_ALLOWED:
        pytest.skip(done.stderr)
    assert rows.exists(), done.stdout + done.stderr
    found: dict[str, dict[str, Any]] = {row["fault"]: row for row in json.loads(rows.read_text())}
    assert found.keys() == {VALKEY, ROLLING}
    for row in found.values():
        assert row["acked"] > 0
        assert row["lost"] == 0
    # Valkey holds nothing: no room moves, and nobody's voice begins anew.
    assert (found[VALKEY]["anew"], found[VALKEY]["moved"]) == (0, False)
    # Both workers were stopped, the room's too.
    assert found[ROLLING]["moved"]
