"""The description of the REST API, held against the running services by schemathesis.

    CWRK_URL=http://127.0.0.1:8080 SCHEMATHESIS_HOOKS=tests.integration.openapi.hooks schemathesis \\
        --config-file tests/integration/openapi/schemathesis.toml run $CWRK_URL/openapi.json

does the same to a stack that runs, with as many examples as one likes.
"""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import services
from tests.integration.student import PASSWORD

FOLDER = Path(__file__).parent / "openapi"
EXAMPLES = 15
SEED = 20261122


@pytest.fixture(scope="module")
def unhurried() -> Iterator[services.Stack]:
    """A chain of its own: hundreds of requests from one address, of which none should be too many."""
    unlimited = dict.fromkeys(("RATE_PERSON", "RATE_ADDRESS", "REGISTRATIONS_ADDRESS"), "0")
    with services.running(settings=unlimited) as running:
        # The first is the administrator, whose doctor takes seconds: schemathesis is somebody else.
        body = {"email": "first@example.org", "displayName": "First", "password": PASSWORD}
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(
            urllib.request.Request(f"{running.url}/auth/register", json.dumps(body).encode(), headers)
        ) as answer:
            assert json.load(answer)["user"]["administrator"]
        yield running


@pytest.mark.timeout(900)  # some two thousand requests: a machine may be slow
def test_schemathesis_finds_nothing(unhurried: services.Stack, tmp_path: Path) -> None:
    found = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            *("--config-file", FOLDER / "schemathesis.toml"),
            *("run", f"{unhurried.url}/openapi.json"),
            *("--checks", "all"),
            *("--max-examples", str(EXAMPLES)),
            *("--seed", str(SEED), "--generation-deterministic"),
            *("--continue-on-failure", "--no-color", "--warnings", "off"),
        ],
        cwd=tmp_path,  # it leaves notes there
        env={
            **os.environ,
            "CWRK_URL": unhurried.url,
            "SCHEMATHESIS_HOOKS": "tests.integration.openapi.hooks",
            "PYTHONPATH": str(services.ROOT),
        },
        capture_output=True,
        text=True,
        timeout=840,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    with urllib.request.urlopen(f"{unhurried.url}/openapi.json") as answer:
        paths = json.load(answer)["paths"]
    operations = sum("responses" in method for path in paths.values() for method in path.values())
    # All but the document itself, by which it came.
    assert f"Tested: {operations - 1}\n" in found.stdout, found.stdout
    assert "Stateful" in found.stdout
    log = unhurried.logs()
    assert "unexpected error" not in log
    # It was somebody who is let in, or all this would have shown little.
    for path in ("/auth/me", "/auth/sessions", "/rooms"):
        assert any(f"path={path} " in line and "status=200" in line for line in log.splitlines()), path
