"""The ways of a voice: each address that clients are told, by UDP and by TCP, and TURN."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
import struct
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

from aioice import stun, turn

from common import rpc
from common.errors import CwrkError
from doctor.config import Config
from doctor.finding import Finding, odd, well, wrong
from proto import media_pb2, media_pb2_grpc
from rooms.turn import credentials

DEADLINE = 3.0
TRY_AGAIN = 0.5
FORWARD = "open it, by UDP and TCP, in the firewall, and forward it in the router"
# Nobody's certificate: the check ends before DTLS begins.
FINGERPRINT = ":".join(["00"] * 32)


@dataclass(frozen=True)
class Way:
    """A candidate of an answer, and the credentials for it."""

    protocol: str
    host: str
    port: int
    ufrag: str
    pwd: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.protocol.upper()} {host}:{self.port}"


async def check(config: Config, *, is_public: bool) -> AsyncIterator[Finding]:
    """`is_public`: the page is for people elsewhere."""
    for address in config.media_addr:
        async with rpc.connect(address, "media", config.service_token) as media:
            async for finding in _worker(media, address, is_public):
                yield finding
    for url in config.turn_urls:
        yield await _turn(url, config.turn_secret)
    if not config.turn_urls:
        yield well("TURN", "none is set (TURN_URLS); a few strict networks will have no voice")


async def _worker(media: rpc.Client, address: str, is_public: bool) -> AsyncIterator[Finding]:
    room, ufrag = f"doctor-{uuid4()}", secrets.token_hex(4)
    stub = media_pb2_grpc.MediaStub(cast(Any, media.channel))
    asked = media_pb2.NegotiateRequest(room_id=room, user_id="doctor", sdp=_offer(ufrag), muted=True)
    try:
        answer: media_pb2.NegotiateResponse = await media.call(cast(Any, stub.Negotiate), asked)
    except CwrkError as error:
        yield wrong(
            "media",
            f"the worker at {address} does not answer: {error.message}",
            "look whether it runs, and whether MEDIA_ADDR and SERVICE_TOKEN are those that it has.",
        )
        return
    try:
        ways = ways_of(answer.sdp)
        yield told(ways, is_public)
        results = await asyncio.gather(*(_works(way, ufrag) for way in ways))
        for way, works in zip(ways, results, strict=True):
            if works:
                yield well("voice", f"{way} works")
            elif any(results):
                yield odd(
                    "voice",
                    f"{way} does not work from here",
                    f"if it does not from elsewhere either, {FORWARD}. Many routers let nobody reach their"
                    " own address from inside; then try from a phone without Wi-Fi.",
                )
            else:
                yield wrong("voice", f"{way} does not work", f"{FORWARD}, or correct MEDIA_ADVERTISE.")
    finally:
        with contextlib.suppress(CwrkError):
            await media.call(cast(Any, stub.Close), media_pb2.CloseRequest(room_id=room, user_id="doctor"))


def told(ways: list[Way], is_public: bool) -> Finding:
    """Whether clients can make anything of the addresses."""
    hosts = list(dict.fromkeys(way.host for way in ways))
    said = "clients are told " + ", ".join(hosts)
    if not hosts:
        return wrong("addresses", "clients are told no address", "set MEDIA_ADVERTISE to one, or a name.")
    if is_public and not any(ipaddress.ip_address(host).is_global for host in hosts):
        return wrong(
            "addresses",
            f"{said}, which nobody reaches from elsewhere",
            "set MEDIA_ADVERTISE to the address or the name that this machine has on the internet.",
        )
    return well("addresses", said)


def ways_of(answer: str) -> list[Way]:
    attributes: dict[str, str] = {}
    candidates = []
    for line in answer.splitlines():
        name, _, value = line.removeprefix("a=").partition(":")
        if name == "candidate":
            candidates.append(value.split())
        attributes.setdefault(name, value)
    found = [
        Way(words[2].lower(), words[4], int(words[5]), attributes["ice-ufrag"], attributes["ice-pwd"])
        for words in candidates
    ]
    return [way for way in found if not ipaddress.ip_address(way.host).is_loopback] or found


async def _works(way: Way, ufrag: str) -> bool:
    """Whether a connectivity check is answered, as a browser makes it."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes = {
        "USERNAME": f"{way.ufrag}:{ufrag}",
        "PRIORITY": 2130706431,
        "ICE-CONTROLLING": secrets.randbits(63),
    }
    request.add_message_integrity(way.pwd.encode())
    try:
        async with asyncio.timeout(DEADLINE):
            answered = await (_by_udp if way.protocol == "udp" else _by_tcp)(way, bytes(request))
        answer = stun.parse_message(answered)
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
        return False
    return answer.message_class == stun.Class.RESPONSE and answer.check_message_integrity(way.pwd.encode())


class _Answers(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.first.done():
            self.first.set_result(data)


async def _by_udp(way: Way, request: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    transport, answers = await loop.create_datagram_endpoint(_Answers, remote_addr=(way.host, way.port))
    try:
        while not answers.first.done():  # a datagram may be lost
            transport.sendto(request)
            await asyncio.wait({answers.first}, timeout=TRY_AGAIN)
        return answers.first.result()
    finally:
        transport.close()


async def _by_tcp(way: Way, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(way.host, way.port)
    try:
        writer.write(struct.pack(">H", len(request)) + request)  # RFC 4571
        (length,) = struct.unpack(">H", await reader.readexactly(2))
        return await reader.readexactly(length)
    finally:
        writer.close()


async def _turn(url: str, secret: str) -> Finding:
    scheme, _, rest = url.partition(":")
    where, _, query = rest.partition("?")
    parts = urlsplit(f"//{where}")
    protocol = query.removeprefix("transport=") or ("tcp" if scheme == "turns" else "udp")
    server = parts.hostname or "", parts.port or (5349 if scheme == "turns" else 3478)
    username, password = credentials(secret, 0, int(time.time()) + 60)
    make: Callable[[], asyncio.DatagramProtocol] = asyncio.DatagramProtocol
    try:
        async with asyncio.timeout(DEADLINE * 2):
            relay, _ = await turn.create_turn_endpoint(
                make, server, username, password, ssl=scheme == "turns", transport=protocol
            )
        relay.close()
    except stun.TransactionFailed as error:
        return wrong(
            "TURN",
            f"{url} refuses our credentials ({error})",
            "give it use-auth-secret, TURN_SECRET as its static-auth-secret, and a clock that is right.",
        )
    except (OSError, TimeoutError, stun.TransactionError) as error:
        return wrong(
            "TURN",
            f"{url} does not answer ({str(error) or type(error).__name__})",
            f"look whether it runs, and open {protocol.upper()} {server[1]}.",
        )
    return well("TURN", f"{url} gives a relay")


def _offer(ufrag: str) -> str:
    lines = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0"]
    lines += ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", "a=mid:0", "a=sendonly", "a=rtcp-mux"]
    lines += [f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{secrets.token_hex(12)}"]
    lines += [f"a=fingerprint:sha-256 {FINGERPRINT}", "a=setup:actpass", "a=rtpmap:111 opus/48000/2"]
    return "\r\n".join([*lines, ""])
