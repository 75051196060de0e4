"""A port that somebody else has is named before anything starts: who wants it, who has it, what to change."""

import os
import socket
from contextlib import ExitStack

import pytest

from dev import ports
from dev.checks import taken_ports
from dev.services import services
from dev.settings import DEFAULTS


@pytest.fixture
def env() -> dict[str, str]:
    """Settings whose ports are all free."""
    env = dict(DEFAULTS)
    for name, port in zip(DEFAULTS, ports.free_ports(len(DEFAULTS)), strict=True):
        if name.endswith("_PORT"):
            env[name] = str(port)
        elif name.endswith("_LISTEN"):
            env[name] = f"127.0.0.1:{port}"
    env["METRICS_LISTEN"] = f"127.0.0.1:{ports.free_row(4)}"
    return env


def test_free_ports_are_no_trouble(env: dict[str, str]) -> None:
    assert taken_ports(services(env)) == []


@pytest.mark.parametrize(
    ("variable", "service", "kind"),
    [
        ("GATEWAY_PORT", "gateway", socket.SOCK_STREAM),
        ("ROOMS_WS_PORT", "rooms", socket.SOCK_STREAM),
        ("ROOMS_LISTEN", "rooms", socket.SOCK_STREAM),
        ("AUTH_LISTEN", "auth", socket.SOCK_STREAM),
        ("MEDIA_LISTEN", "media", socket.SOCK_STREAM),
        ("MEDIA_PORT", "media", socket.SOCK_DGRAM),
        ("METRICS_LISTEN", "auth", socket.SOCK_STREAM),
    ],
)
def test_a_taken_port_is_named_with_its_holder(
    env: dict[str, str], variable: str, service: str, kind: socket.SocketKind
) -> None:
    port = int(env[variable].rpartition(":")[2])
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        sentence, way = taken_ports(services(env))
    assert f"ort {port}, which {service} wants, is taken by “" in sentence
    assert f"(pid {os.getpid()}, " in sentence
    assert way.startswith(f"Stop that, or choose another: make run {variable}=")


def test_several_taken_ports_have_one_way_out_that_can_be_pasted(env: dict[str, str]) -> None:
    metrics = int(env["METRICS_LISTEN"].rpartition(":")[2])
    wanted = (int(env["GATEWAY_PORT"]), metrics, metrics + 1)
    with ExitStack() as held:
        for port in wanted:
            taken = held.enter_context(socket.socket())
            taken.bind(("127.0.0.1", port))
            taken.listen()
        *sentences, way = taken_ports(services(env))
        given = way.partition("make run ")[2].split()
        assert sorted(setting.partition("=")[0] for setting in given) == ["GATEWAY_PORT", "METRICS_LISTEN"]
        assert len(sentences) == len(wanted)
        assert taken_ports(services({**env, **dict(setting.split("=") for setting in given)})) == []
