"""`make run LAN=1`: everything over TLS, at one address that others in the network reach."""

import json
import os
import re
import signal
import ssl
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import ifaddr
import pytest
from cryptography import x509

from dev import lan, ports
from dev.place import Place, StackError
from tests.dev.test_make_run import Make

pytestmark = pytest.mark.timeout(240)

PASSWORD = "an orbit of its own"


@pytest.fixture
def make() -> Iterator[Make]:
    with Make.somewhere() as make:
        yield make


async def test_page_api_and_websocket_over_tls_at_one_address(make: Make) -> None:
    done = make("run", "LAN=1", f"LAN_PORT={ports.free_port()}")
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"open (https://\S+),", done.stdout)
    assert found
    address = found[1]
    assert "▀▀▀▀▀▀▀" in done.stdout  # the square
    certificate = make.run / "lan" / "certificate.pem"
    trust = ssl.create_default_context(cafile=certificate)
    async with aiohttp.ClientSession(address, connector=aiohttp.TCPConnector(ssl=trust)) as visitor:
        async with visitor.get("/") as page:
            assert "<html" in await page.text()
        async with visitor.get("/config.json") as told:
            ws_url = (await told.json())["ws_url"]
        assert ws_url == address.replace("https://", "wss://")
        body = {"email": "ann@example.org", "displayName": "Ann", "password": PASSWORD}
        async with visitor.post("/auth/register", json=body) as answer:
            token = (await answer.json())["accessToken"]
        signed = {"Authorization": f"Bearer {token}"}
        async with visitor.post("/rooms", json={"name": "Kitchen"}, headers=signed) as answer:
            room = (await answer.json())["id"]
        async with visitor.post(f"/rooms/{room}/join", headers=signed) as answer:
            assert answer.status == 200
        async with visitor.ws_connect(f"{ws_url}/ws/rooms/{room}", headers={"Origin": address}) as socket:
            await socket.send_json({"type": "auth", "payload": {"access_token": token}})
            assert json.loads(await socket.receive_str())["type"] == "hello"

        doctor = make("doctor")
        assert doctor.returncode == 0, doctor.stdout + doctor.stderr
        assert f"{address} answers" in doctor.stdout

        async with visitor.get("/doctor/findings", headers=signed) as answer:
            found_there = {each["about"]: each["state"] for each in (await answer.json())["items"]}
        assert found_there["TLS"] == "well"  # the certificate is known to who looks

        # Caddy logs that it did not reach rooms, and not with which token somebody wanted to.
        os.kill(make.running()["rooms"].pid, signal.SIGKILL)
        async with visitor.get(f"/ws/rooms/{room}?access_token={token}") as answer:
            await answer.read()
    for log in (make.run / "logs").iterdir():
        assert token not in log.read_text()
    assert (make.run / "lan" / "key.pem").stat().st_mode & 0o077 == 0


def has(monkeypatch: pytest.MonkeyPatch, *hosts: str) -> None:
    """The machine has these addresses, and one by IPv6."""
    ours = [ifaddr.IP(host, 24, "eth0") for host in hosts] + [ifaddr.IP(("fd00::1", 0, 0), 64, "eth0")]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [ifaddr.Adapter("eth0", "eth0", ours)])


def test_another_network_wants_another_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, tmp_path / ".run")
    place.prepare()
    made = []
    for here in ("192.168.1.10", "192.168.1.10", "10.0.0.7"):
        has(monkeypatch, here, "127.0.0.1")
        lan.prepare(place, {"LAN_PORT": "8443"})
        made.append((place.run / "lan" / "certificate.pem").read_bytes())
    assert made[0] == made[1] != made[2]  # in the same network nobody is asked again
    names = x509.load_pem_x509_certificate(made[2]).extensions
    alternatives = names.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(map(str, alternatives.get_values_for_type(x509.IPAddress))) == {"10.0.0.7", "127.0.0.1"}


def test_without_a_network_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, "127.0.0.1", "169.254.3.4")
    with pytest.raises(StackError, match="in no network"):
        lan.addresses()
    with pytest.raises(StackError, match="LAN=yes"):
        lan.is_wanted({"LAN": "yes"})
