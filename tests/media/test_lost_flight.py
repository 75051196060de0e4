"""A lost flight of the DTLS server costs about what the client's own repeat takes, not OpenSSL's second."""

from __future__ import annotations

import asyncio

import pytest
from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)

from media.sdp import Fingerprint
from media.transport import HandshakeFailed, Transport

CERTIFICATE = RTCCertificate.generateCertificate()


class ClientLink:
    """The client's end of the wire. Repeats its first flight after 50 ms as browsers do, not OpenSSL."""

    role = "controlling"

    def __init__(self) -> None:
        self.server: Transport
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self.first_flight: list[bytes] = []
        self.lose = 0
        self.answered = False

    async def _recv(self) -> bytes:
        datagram = await self.inbox.get()
        self.answered = True
        return datagram

    async def _send(self, datagram: bytes) -> None:
        if not self.answered:
            self.first_flight.append(datagram)
            asyncio.get_running_loop().call_later(0.05, self.repeat, datagram)
        self.server.receive(datagram)

    def repeat(self, datagram: bytes) -> None:
        if not self.answered:
            self.server.receive(datagram)

    def from_server(self, datagram: bytes) -> None:
        if self.lose:
            self.lose -= 1
        else:
            self.inbox.put_nowait(datagram)


def parameters(certificate: RTCCertificate) -> RTCDtlsParameters:
    return RTCDtlsParameters(certificate.getFingerprints()[:1])


def ends(remote: Fingerprint | None = None) -> tuple[RTCDtlsTransport, Transport, ClientLink]:
    mine = CERTIFICATE.getFingerprints()[0]
    link = ClientLink()
    link.server = Transport(
        RTCCertificate.generateCertificate(),
        (remote or Fingerprint(mine.algorithm, mine.value),),
        link.from_server,
    )
    client = RTCDtlsTransport(link, [CERTIFICATE])  # type: ignore[arg-type]
    client._set_role("client")
    return client, link.server, link


async def connect(client: RTCDtlsTransport, server: Transport) -> None:
    """Both handshakes."""
    ours = server.fingerprint
    expected = RTCDtlsParameters([RTCDtlsFingerprint(ours.algorithm, ours.value)])
    server.reachable()
    client_side = asyncio.create_task(client.start(expected))
    try:
        keys = await server.handshake(5)
        assert len(keys.receive) == len(keys.transmit) == 16 + 12  # AEAD_AES_128_GCM: key and salt
        await client_side
        assert client.state == "connected"
    finally:
        client_side.cancel()
        await client.stop()
        await server.close()


async def test_without_loss() -> None:
    client, server, link = ends()
    await connect(client, server)
    assert len(link.first_flight) == 1


async def test_the_flight_is_sent_again_when_the_hello_is_repeated() -> None:
    client, server, link = ends()
    link.lose = 1
    await connect(client, server)
    assert len(link.first_flight) == 1  # OpenSSL's own clock, of a second, has not made another


async def test_a_client_with_another_certificate_is_refused() -> None:
    client, server, _ = ends(Fingerprint("sha-256", ":".join(["00"] * 32)))
    with pytest.raises(HandshakeFailed):
        await connect(client, server)


async def test_what_comes_before_the_handshake_is_bounded_and_told() -> None:
    _, server, _ = ends()
    taken = [server.receive(bytes([22, 0xFE, 0xFD]) + bytes(30)) for _ in range(40)]
    assert taken == [True] * 32 + [False] * 8
    await server.close()


async def test_a_client_that_never_says_hello_is_given_up() -> None:
    _, server, _ = ends()
    server.reachable()
    with pytest.raises(HandshakeFailed, match="too long"):
        await server.handshake(0.05)
    await server.close()
