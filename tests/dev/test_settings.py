"""What follows from what: the settings that `make run` derives, and the `.env` file."""

from pathlib import Path

import pytest

from common.workers import cores
from dev.place import Place, StackError
from dev.services import services
from dev.settings import read_env_file, resolve
from dev.stack import command


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path, tmp_path / ".run")
    place.prepare()
    return place


def test_a_changed_port_reaches_everybody_who_has_to_know_it(place: Place) -> None:
    env = resolve(place, {"GATEWAY_PORT": "8090", "AUTH_LISTEN": "0.0.0.0:6051"})
    assert env["ALLOWED_ORIGINS"] == "http://localhost:8090,http://127.0.0.1:8090"
    assert env["AUTH_ADDR"] == "127.0.0.1:6051"


def test_what_is_set_is_not_derived(place: Place) -> None:
    env = resolve(place, {"GATEWAY_PORT": "8090", "ALLOWED_ORIGINS": "https://rooms.example"})
    assert env["ALLOWED_ORIGINS"] == "https://rooms.example"


def test_more_media_workers_follow_on_the_ports_of_the_first(place: Place) -> None:
    env = resolve(place, {"MEDIA_WORKERS": "2", "MEDIA_LISTEN": "127.0.0.1:6053"})
    assert env["MEDIA_ADDR"] == "127.0.0.1:6053,127.0.0.1:6054"
    first, second = (service for service in services(env) if service.module == "media")
    assert (first.name, second.name) == ("media", "media-2")
    assert command(second)[:3] == ["env", "MEDIA_LISTEN=127.0.0.1:6054", "MEDIA_PORT=24781"]
    assert second.env["MEDIA_WORKERS"] == "1"
    for wrong in ("many", "0"):
        with pytest.raises(StackError, match=f"MEDIA_WORKERS={wrong} is no number of workers"):
            resolve(place, {"MEDIA_WORKERS": wrong})


def test_auto_is_a_media_worker_for_each_core(place: Place) -> None:
    env = resolve(place, {"MEDIA_WORKERS": "auto", "MEDIA_PORT": "30000"})
    workers = [service for service in services(env) if service.module == "media"]
    assert len(workers) == cores()
    assert [int(each.env["MEDIA_PORT"]) for each in workers] == list(range(30000, 30000 + cores()))
    assert env["MEDIA_ADDR"].count(":") == cores()


def test_the_environment_wins_over_the_file(place: Place) -> None:
    (place.root / ".env").write_text("GATEWAY_PORT=8090\nROOMS_WS_PORT=8092\nLOG_LEVEL=debug\n")
    env = resolve(place, {"GATEWAY_PORT": "8091", "LOG_LEVEL": ""})
    assert (env["GATEWAY_PORT"], env["ROOMS_WS_PORT"]) == ("8091", "8092")
    assert "LOG_LEVEL" not in env


def test_the_service_token_is_made_once_and_closed_to_others(place: Place) -> None:
    first, second = resolve(place, {}), resolve(place, {})
    assert len(first["SERVICE_TOKEN"]) >= 32
    assert first["SERVICE_TOKEN"] == second["SERVICE_TOKEN"]
    assert (place.run / "service_token").stat().st_mode & 0o777 == 0o600


def test_an_env_file_has_comments_blank_lines_and_quotes(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\n\nA=1\nB = two words \nC=\"# not a comment\"\nD='x=y'\n")
    assert read_env_file(file) == {"A": "1", "B": "two words", "C": "# not a comment", "D": "x=y"}


def test_a_line_of_an_env_file_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\nexport B=2\n")
    with pytest.raises(StackError, match=r"\.env, line 2: this is not KEY=VALUE"):
        read_env_file(file)


@pytest.mark.parametrize("port", ["web", "0", "65536", "-1"])
def test_a_port_that_is_none_is_named(place: Place, port: str) -> None:
    with pytest.raises(StackError, match=f"GATEWAY_PORT={port} is not a port: give a number from 1 to 65535"):
        resolve(place, {"GATEWAY_PORT": port})
