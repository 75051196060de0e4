"""The alerts as Prometheus reads them, where there is a promtool: CI installs one."""

import shutil
import subprocess

import pytest

from dev.tools import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
pytestmark = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool comes with Prometheus")


@pytest.mark.parametrize("command", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")])
def test_the_alerts_hold_and_fire_when_they_should(command: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *command], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
