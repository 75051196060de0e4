"""The doctor sees what works, and names what does not and what to do about it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.config import load
from common.errors import Unavailable
from dev.ports import free_port
from doctor.__main__ import findings, is_public
from doctor.config import Config
from doctor.finding import State
from doctor.voice import Way, told
from rooms.examination import Examination
from tests import services
from tests.integration.student import Student

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def chain() -> Iterator[services.Stack]:
    with services.running() as running:
        yield running


async def wrong(chain: services.Stack, **env: str) -> dict[str, str]:
    """What is wrong with these settings: of which part, what, and what to do."""
    config = load(Config, {**chain.env, **env})
    found = [each async for each in findings(config)]
    assert all(each.do for each in found if each.state is not State.WELL)
    return {each.about: f"{each.said}: {each.do}" for each in found if each.state is State.WRONG}


def test_as_a_program_where_all_is_well(chain: services.Stack) -> None:
    command = [sys.executable, "-m", "doctor"]
    env = {**os.environ, **chain.env}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "Nothing is wrong, as seen from here."
    for part in ("API", "websocket", "voice", "PostgreSQL", "Valkey", "disk"):
        assert any(re.match(rf"  well   {part} ", line) for line in lines), done.stdout
    port = chain.env["MEDIA_PORT"]
    assert [line for line in lines if f"UDP 127.0.0.1:{port} works" in line]
    assert [line for line in lines if f"TCP 127.0.0.1:{port} works" in line]
    nothing = subprocess.run(command, cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=False)
    assert (nothing.returncode, nothing.stderr[:29]) == (2, "doctor: DATABASE_URL is not s")


async def test_administrators_alone_are_told_by_the_gateway(chain: services.Stack) -> None:
    async with (
        Student.registered(chain.url, chain.ws_url, "Anna") as anna,  # the first, so the administrator
        Student.registered(chain.url, chain.ws_url, "Boris") as boris,
    ):
        assert (await boris.get("/doctor/findings", status=403))["code"] == "ADMINISTRATORS_ONLY"
        anna_again = asyncio.create_task(anna.get("/doctor/findings"))
        found = (await anna.get("/doctor/findings"))["items"]
        assert (await anna_again)["items"] == found  # of one examination
        assert {each["state"] for each in found} <= {"well", "odd"}
        assert {"API", "websocket", "voice", "PostgreSQL", "Valkey", "disk"} <= {
            each["about"] for each in found
        }
        boris.token = ""
        await boris.get("/doctor/findings", status=401)


async def test_a_doctor_that_fails_is_told_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Unavailable, match="log of rooms") as refused:
        await Examination().findings()
    assert refused.value.code == "DOCTOR_FAILED"


@pytest.mark.parametrize(
    ("settings", "part", "said"),
    [
        ({"PUBLIC_URL": "http://nobody.invalid"}, "name", "stands for no address"),
        ({"PUBLIC_URL": "http://localhost:{gateway}"}, "websocket", "add http://localhost:"),
        ({"PUBLIC_URL": "https://127.0.0.1:{gateway}"}, "TLS", "speaks no TLS"),
        ({"PUBLIC_URL": "http://127.0.0.1:{free}"}, "page", "does not answer"),
        ({"MEDIA_ADDR": "127.0.0.1:{free}"}, "media", "MEDIA_ADDR"),
        ({"SERVICE_TOKEN": "another"}, "media", "SERVICE_TOKEN"),
        ({"DATABASE_URL": "postgresql://me:secret@127.0.0.1:{free}/x"}, "PostgreSQL", "DATABASE_URL"),
        (
            {"TURN_URLS": "turn:127.0.0.1:{free}?transport=tcp", "TURN_SECRET": "s3cret"},
            "TURN",
            "does not answer",
        ),
    ],
)
async def test_what_is_wrong_is_named(
    chain: services.Stack, settings: dict[str, str], part: str, said: str
) -> None:
    ports = {"gateway": chain.env["GATEWAY_PORT"], "free": str(free_port())}
    found = await wrong(chain, **{name: value.format(**ports) for name, value in settings.items()})
    # With a page for the internet the addresses are wrong too: they are this machine's own.
    assert found.keys() - {"addresses"} == {part}
    assert said in found[part]
    assert "secret" not in found[part].replace("TURN_SECRET", "").replace("static-auth-secret", "")


async def test_a_service_that_is_down_is_named(chain: services.Stack) -> None:
    chain.kill("auth")
    try:
        found = await wrong(chain)
    finally:
        chain.start("auth")
        await asyncio.to_thread(chain.wait_until_ready)
    assert "auth" in found["API"]


def test_addresses_that_nobody_reaches() -> None:
    home = [Way("udp", "192.168.1.10", 24780, "u", "p"), Way("udp", "172.30.77.5", 24780, "u", "p")]
    assert told(home, is_public=False).state is State.WELL
    assert "MEDIA_ADVERTISE" in told(home, is_public=True).do
    assert told([*home, Way("udp", "1.1.1.1", 24780, "u", "p")], is_public=True).state is State.WELL
    assert told([], is_public=False).state is State.WRONG


@pytest.mark.parametrize(
    ("page", "public"),
    [
        ("https://study.example.org", True),
        ("https://1.1.1.1:8443", True),
        ("https://192.168.1.10:8443", False),
        ("http://localhost:8080", False),
        ("http://[::1]:8080", False),
    ],
)
def test_whom_a_page_is_for(page: str, public: bool) -> None:
    assert is_public(page) is public
