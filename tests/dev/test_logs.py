"""`make logs` reads on where it stopped, whatever happens to the file meanwhile."""

from pathlib import Path

import pytest

from dev.logs import Log, follow
from dev.place import Place, StackError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rooms.log"


def test_lines_come_once_and_whole(file: Path) -> None:
    log = Log("rooms", file)
    assert log.new_lines() == []
    file.write_text("one\ntwo\nthr")
    assert log.new_lines() == ["one", "two"]
    with file.open("a") as more:
        more.write("ee\n")
    assert log.new_lines() == ["three"]
    log.close()


def test_a_rotated_log_loses_no_line(file: Path) -> None:
    log = Log("rooms", file)
    file.write_text("one\n")
    assert log.new_lines() == ["one"]
    with file.open("a") as more:
        more.write("two\n")
    file.rename(file.with_suffix(".log.1"))
    file.write_text("three\n")
    assert log.new_lines() == ["two", "three"]
    log.close()


def test_an_unknown_service_is_told_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="There is no service 'room': SERVICE is one of auth, rooms"):
        follow(Place(tmp_path, tmp_path / ".run"), ["auth", "rooms"], "room")
