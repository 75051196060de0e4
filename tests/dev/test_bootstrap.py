"""Stage one of `make run`: what it says where Python is too old, venv is missing or the network is down."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dev import bootstrap

SCRIPT = Path(bootstrap.__file__)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that needs one small package."""
    (tmp_path / "dev").mkdir()
    shutil.copy(SCRIPT, tmp_path / "dev" / "bootstrap.py")
    (tmp_path / "requirements.lock").write_text(f"six==1.17.0 \\\n    --hash=sha256:{'0' * 64}\n")
    return tmp_path


def run(checkout: Path, *, before: str = "pass", **env: str) -> subprocess.CompletedProcess[str]:
    """Run the checkout's bootstrap in a Python that `before` has changed. uv is not to be found."""
    code = f"import sys, runpy; {before}; runpy.run_path('dev/bootstrap.py', run_name='__main__')"
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=checkout,
        env={**bare, "PATH": "/usr/bin:/bin", "PIP_CONFIG_FILE": os.devnull, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_older_python_is_told_what_to_do(checkout: Path) -> None:
    done = run(checkout, before="sys.version_info = (3, 9)")
    assert done.returncode == 1
    assert "This needs Python 3.11 or newer, and" in done.stderr
    assert "is 3.9. Install a newer one, or name it: make run PYTHON=python3.12" in done.stderr


def test_a_missing_venv_module_is_told_what_to_install(checkout: Path) -> None:
    # As on Debian without python3-venv.
    done = run(checkout, before="sys.modules['ensurepip'] = None")
    assert done.returncode == 1
    assert done.stderr == (
        "This Python has no venv module. Install it (apt install python3-venv) and try again.\n"
    )


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing in it, for both who want one: pip alone takes some seconds to install."""
    venv = tmp_path_factory.mktemp("empty") / ".venv"
    bootstrap.make(venv)
    return venv


def test_without_a_network_it_says_so_and_the_next_run_tries_again(checkout: Path, empty: Path) -> None:
    shutil.copytree(empty, checkout / ".venv", symlinks=True)
    done = run(checkout, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0")
    assert done.returncode == 1
    assert "The package index cannot be reached" in done.stderr
    assert not (checkout / ".venv" / "requirements.lock.installed").exists()


def test_what_is_installed_is_not_installed_again(
    checkout: Path, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    venv, lock = checkout / ".venv", checkout / "requirements.lock"
    shutil.copytree(empty, venv, symlinks=True)
    lock.write_text("")  # nothing to install, so that the network has no part in it
    bootstrap.ensure(venv, lock)
    assert "installing" in capsys.readouterr().out
    bootstrap.ensure(venv, lock)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("ERROR: No matching distribution found for av==18.1.0", "has no wheel for Python"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n  they do not match the hashes", "Do not use it"),
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("error: Failed to fetch\n  Caused by: dns error: failed to lookup", "cannot be reached"),
    ],
)
def test_a_failed_installation_is_explained(output: str, sentence: str) -> None:
    assert sentence in bootstrap.explain(output)
