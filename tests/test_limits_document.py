"""docs/limits.md says what the settings and the code say."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from auth.config import Config as Auth
from common.config import Common, load
from gateway.config import Config as Gateway
from media.config import Config as Media
from rooms.config import Config as Rooms

PAGE = (Path(__file__).parents[1] / "docs" / "limits.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("| ").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ")
]
SETTINGS = [
    (row[2], name.strip("`")) for row in ROWS for name in row[3:4] if re.fullmatch(r"`[A-Z_]+`", name)
]
CONSTANTS = re.findall(r"`((?:\w+/)+\w+)\.py ([\w.]+)=([\d.]+)`", PAGE)


def default_of(setting: str) -> object:
    env = {"DATABASE_URL": "postgresql://nobody@127.0.0.1/nothing"}
    kinds: tuple[type[Common], ...] = (Auth, Gateway, Media, Rooms)
    for kind in kinds:
        for field in kind.__dataclass_fields__.values():
            if field.metadata["env"] == setting:
                return getattr(load(kind, env), field.name)
    raise AssertionError(f"{setting} is no setting")


@pytest.mark.parametrize(("said", "setting"), SETTINGS)
def test_a_setting_has_the_default_that_is_said(said: str, setting: str) -> None:
    if said != "one a core":
        assert str(default_of(setting)) == said


@pytest.mark.parametrize(("module", "name", "said"), CONSTANTS)
def test_a_number_in_the_code_is_the_one_that_is_said(module: str, name: str, said: str) -> None:
    value = importlib.import_module(module.replace("/", "."))
    for part in name.split("."):
        value = getattr(value, part)
    assert str(value) == said


def test_every_setting_that_limits_is_there() -> None:
    """Those of connections, requests, packets and what people may have."""
    named = {setting for _, setting in SETTINGS}
    assert len(CONSTANTS) >= 15
    kinds: tuple[type[Common], ...] = (Auth, Gateway, Media, Rooms)
    limiting = {
        field.metadata["env"]
        for kind in kinds
        for field in kind.__dataclass_fields__.values()
        if re.match(r"RATE_|PASSWORD_|ROOMS_(ADDRESS|PERSON)_|MEDIA_(MAX|TCP)_", field.metadata["env"])
    }
    assert limiting <= named
