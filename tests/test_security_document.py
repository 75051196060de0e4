"""docs/security.md names a test for each property: every one of them exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_test_that_is_named_exists() -> None:
    document = (ROOT / "docs" / "security.md").read_text("utf-8")
    everything = {path: path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    files = set(re.findall(r"`(?:tests/)?((?:\w+/)*test_\w+\.py)", document))
    names = set(re.findall(r"\b(test_\w+)`", document))
    assert len(names) > 30
    assert {each for each in files if not any(str(path).endswith(f"/{each}") for path in everything)} == set()
    written = "\n".join(everything.values())
    assert {name for name in names if f"def {name}(" not in written} == set()
