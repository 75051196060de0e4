"""A client that reaches nothing but a TURN server: a real coturn, with the credentials that `hello` has."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aioice import ice
from aiortc import RTCConfiguration, RTCIceServer
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from dev.child import die_with_parent
from dev.ports import free_port
from tests import services
from tests.integration.student import PATIENCE, Student
from tests.media.browser import Program

SECRET = "what coturn and rooms know"
ANN_HZ, BOB_HZ = 600, 440


@pytest.fixture
def turn_port(tmp_path: Path) -> Iterator[int]:
    """Where coturn listens, for UDP."""
    port = free_port()
    options = {
        "listening-ip": "127.0.0.1",
        "relay-ip": "127.0.0.1",
        "listening-port": port,
        "static-auth-secret": SECRET,
        "realm": "tests",
        "pidfile": tmp_path / "pid",
        "userdb": tmp_path / "users",
        "log-file": "stdout",
    }
    flags = (
        "use-auth-secret",
        "allow-loopback-peers",
        "no-cli",
        "no-tls",
        "no-dtls",
    )
    command = ["turnserver", "-n", *(f"--{name}={value}" for name, value in options.items())]
    with subprocess.Popen(
        [*command, *(f"--{flag}" for flag in flags)],
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with_parent(signal.SIGKILL),
    ) as process:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()  # it listens for TCP, too
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        yield port
        process.kill()


@pytest.mark.skipif(shutil.which("turnserver") is None, reason="there is no coturn here")
async def test_who_reaches_nothing_else_talks_by_turn(
    chain: services.Stack, turn_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # aioice leaves loopback out, and here there is nothing else.
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    url = f"turn:127.0.0.1:{turn_port}?transport=udp"
    async with AsyncExitStack() as stack:
        stack.enter_context(chain.changed("rooms", TURN_URLS=url, TURN_SECRET=SECRET))
        ann, bob = [
            await stack.enter_async_context(Student.registered(chain.url, chain.ws_url, name))
            for name in ("Ann", "Bob")
        ]
        room = await ann.create_room("Behind a firewall")
        for student in (ann, bob):
            await stack.enter_async_context(student.in_room(room))
        (server,) = (await bob.frame("hello"))["ice_servers"]
        assert server["urls"] == [url]
        walled = RTCConfiguration([RTCIceServer(**server)], RTCIceTransportPolicy.RELAY)
        programs = Program(hertz=ANN_HZ), Program(hertz=BOB_HZ, configuration=walled)
        for student, program in zip((ann, bob), programs, strict=True):
            stack.push_async_callback(program.connection.close)
            offer = await program.offer()
            assert ("typ relay" in offer, "typ host" in offer) == (student is bob, student is ann)
            await student.send("offer", sdp=offer)
            await program.take((await student.frame("answer"))["sdp"])
        pitches = await asyncio.gather(*(each.pitch(0) for each in programs))
        assert pitches == [pytest.approx(BOB_HZ, abs=15), pytest.approx(ANN_HZ, abs=15)]
