"""The addresses a worker listens on, and those it tells."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from common.config import ConfigError, load
from media import advertised
from media.advertised import Advertised, candidates_of, resolve
from media.config import Config
from media.datagrams import DatagramSocket
from media.negotiation import Candidate
from media.sockets import open_sockets
from media.streams import StreamSocket


def config(**settings: str) -> Config:
    return load(Config, {"MEDIA_HOST": "127.0.0.1", "MEDIA_PORT": "0", **settings})


def test_udp_and_tcp_have_one_number_on_each_address() -> None:
    sockets = open_sockets(config(MEDIA_HOST="127.0.0.1, 127.0.0.2"))
    assert [type(each) for each in sockets] == [DatagramSocket, DatagramSocket, StreamSocket, StreamSocket]
    assert [(each.host, each.port) for each in sockets[:2]] == [
        (each.host, each.port) for each in sockets[2:]
    ]
    assert candidates_of(sockets) == tuple(
        Candidate(protocol, each.host, each.port)
        for protocol, each in zip(["udp", "udp", "tcp", "tcp"], sockets, strict=True)
    )
    for each in sockets:
        each.close()


def test_without_tcp() -> None:
    (only,) = open_sockets(config(MEDIA_TCP_CONNECTIONS="0"))
    assert isinstance(only, DatagramSocket)
    only.close()


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_port_that_is_taken_is_named_and_nothing_stays_open(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.2", 0))
        taken_port = taken.getsockname()[1]
        if kind is socket.SOCK_STREAM:
            taken.listen()
        with pytest.raises(ConfigError, match=f"MEDIA_PORT={taken_port}: .* 127.0.0.2"):
            open_sockets(config(MEDIA_HOST="127.0.0.1,127.0.0.2", MEDIA_PORT=str(taken_port)))


def test_an_address_that_went_is_passed_over_only_where_nobody_named_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1"):
        open_sockets(config(MEDIA_HOST="192.0.2.1"))
    monkeypatch.setattr("media.sockets.local_addresses", lambda: ("192.0.2.1", "127.0.0.1"))
    sockets = open_sockets(config(MEDIA_HOST="auto"))
    assert {each.host for each in sockets} == {"127.0.0.1"}
    for each in sockets:
        each.close()
    monkeypatch.setattr("media.sockets.local_addresses", lambda: ("192.0.2.1",))
    with pytest.raises(ConfigError, match="no address"):
        open_sockets(config(MEDIA_HOST="auto"))


async def test_names_are_told_as_addresses() -> None:
    sockets = open_sockets(config())
    port = sockets[0].port
    reached = await resolve(
        [
            Advertised("localhost", 4000),
            Advertised("203.0.113.5"),
            Advertised("nowhere.invalid"),
            Advertised("not..a..name"),
        ]
    )
    assert ("127.0.0.1", 4000) in reached
    assert reached[-1] == ("203.0.113.5", None)
    assert candidates_of(sockets, [("127.0.0.1", 4000), ("203.0.113.5", None)]) == (
        Candidate("udp", "127.0.0.1", 4000),
        Candidate("udp", "203.0.113.5", port),
        Candidate("tcp", "127.0.0.1", 4000),
        Candidate("tcp", "203.0.113.5", port),
    )
    for each in sockets:
        each.close()


async def test_a_name_that_changes_is_followed_and_one_that_cannot_be_had_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: list[Any] = [["203.0.113.5"], ["203.0.113.5"], OSError("no network"), ["203.0.113.9"]]
    looked = asyncio.Event()

    async def getaddrinfo(name: str, port: None, **_: Any) -> list[Any]:
        if not answers:
            looked.set()
            return []
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return [(socket.AF_INET, socket.SOCK_DGRAM, 0, "", (host, 0)) for host in answer]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(advertised, "LOOK_AGAIN", 0.0)
    told: list[Any] = []
    keeping = asyncio.create_task(advertised.keep([Advertised("voice.example.org", 7)], told.append))
    async with asyncio.timeout(10):
        await looked.wait()
    keeping.cancel()
    assert told == [[("203.0.113.5", 7)], [("203.0.113.9", 7)]]
