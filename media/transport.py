"""DTLS (RFC 5764) by aiortc's RTCDtlsTransport: the only importer of aiortc.

aiortc's object wants an ICE transport to read from and write to, and then would read RTP itself. It gets a
`_Link` that carries nothing but DTLS; the keys are taken out when the handshake is through, and RTP takes
the way of media/forwarder.py. The private names this needs are listed and checked in
tests/media/test_transport_contract.py.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable
from typing import Final, cast

from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AES128_CM_SHA1_80,
    SRTP_PROFILES,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)
from aiortc.rtcicetransport import RTCIceTransport

from media.sdp import Fingerprint
from media.srtp import Keys

#: From the client's first connectivity check to the keys, seconds.
HANDSHAKE_SECONDS: Final = 10.0
#: Datagrams that wait for the handshake. Full: the newest is dropped, as the network would.
_QUEUE: Final = 32
#: Datagrams of our last flight kept to be sent again. Full: later ones are not kept.
_FLIGHT: Final = 8
#: Best first; the server chooses. AEAD_AES_128_GCM is the quickest one.
_PROFILES: Final = [
    profile for profile in (SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80) if profile in SRTP_PROFILES
]
_RENEW: Final = datetime.timedelta(days=7)


class HandshakeFailed(Exception):
    """The client did not finish the handshake, or is not who its offer said."""


class Certificate:
    """The worker's self-signed certificate, for all its transports; its digest goes into each answer."""

    def __init__(self) -> None:
        self._current = RTCCertificate.generateCertificate()

    def current(self, now: datetime.datetime) -> RTCCertificate:
        """The certificate, made anew a week before it ends."""
        if self._current.expires - now < _RENEW:
            self._current = RTCCertificate.generateCertificate()
        return self._current


class Transport:
    """One participant's DTLS. `send` sends a datagram to it, and drops it when it cannot."""

    def __init__(
        self, certificate: RTCCertificate, remote: tuple[Fingerprint, ...], send: Callable[[bytes], None]
    ) -> None:
        self._remote = remote
        self._link = _Link(send)
        self._reachable = asyncio.Event()
        # The link is all that the DTLS side ever uses of an ICE transport.
        self._dtls = RTCDtlsTransport(cast(RTCIceTransport, self._link), [certificate])
        self._dtls._set_role("server")
        self._dtls._srtp_profiles = _PROFILES
        self._certificate = certificate
        self._ended = asyncio.Event()
        self._dtls.on("statechange", self._state_changed)

    @property
    def fingerprint(self) -> Fingerprint:
        """For the answer's a=fingerprint."""
        digest = next(d for d in self._certificate.getFingerprints() if d.algorithm == "sha-256")
        return Fingerprint(digest.algorithm, digest.value)

    def reachable(self) -> None:
        """The client has been heard of: from now on the handshake's time runs."""
        self._reachable.set()

    def receive(self, datagram: bytes) -> bool:
        """Takes a DTLS datagram of the client, also one that comes before we are ready; False when too many
        wait already."""
        return self._link.receive(datagram)

    async def handshake(self, limit: float = HANDSHAKE_SECONDS) -> Keys:
        """Waits until the client is reachable, and then for the handshake, at most `limit` seconds.

        Raises HandshakeFailed.
        """
        await self._reachable.wait()
        parameters = RTCDtlsParameters(
            [RTCDtlsFingerprint(each.algorithm, each.value) for each in self._remote]
        )
        try:
            async with asyncio.timeout(limit):
                await self._dtls.start(parameters)
        except TimeoutError:
            raise HandshakeFailed("the DTLS handshake took too long") from None
        if self._dtls.state != "connected":
            raise HandshakeFailed("the DTLS handshake failed")
        return self._keys()

    async def ended(self) -> None:
        """Waits until the client has closed the connection."""
        await self._ended.wait()

    async def close(self) -> None:
        """Says goodbye to the client and ends; a handshake that still runs is for its owner to cancel."""
        await self._dtls.stop()
        self._link.close()
        # OpenSSL's memory goes with it at once: the garbage collector does not see how much that is.
        self._dtls.remove_listener("statechange", self._state_changed)

    def _keys(self) -> Keys:
        ssl = self._dtls._ssl
        if ssl is None:
            raise HandshakeFailed("the DTLS handshake failed")
        chosen = ssl.get_selected_srtp_profile()
        profile = next(each for each in _PROFILES if each.openssl_profile == chosen)
        material = ssl.export_keying_material(
            b"EXTRACTOR-dtls_srtp", 2 * (profile.key_length + profile.salt_length)
        )
        return Keys(
            profile=profile.libsrtp_profile,
            receive=profile.get_key_and_salt(material, 0),
            transmit=profile.get_key_and_salt(material, 1),
        )

    def _state_changed(self) -> None:
        if self._dtls.state in ("closed", "failed"):
            self._ended.set()


def _nowhere(_datagram: bytes) -> None:
    """What is sent after the end."""


class _Link:
    """What RTCDtlsTransport takes for its ICE transport.

    OpenSSL repeats a lost flight of the server after a second only. A client repeats its ClientHello
    after 50 to 100 ms when no answer comes: that repeat makes us send the last flight again, and is kept
    from OpenSSL, which would ignore it.
    """

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send_datagram = send
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(_QUEUE)
        self._closed = False
        self._hellos: set[tuple[int, int]] = set()
        self._flight: list[bytes] = []
        self._answering = False

    def receive(self, datagram: bytes) -> bool:
        fragment = client_hello_fragment(datagram)
        if fragment is None:
            self._answering = False
        elif fragment not in self._hellos:
            self._answering = False
            if len(self._hellos) < _QUEUE:
                self._hellos.add(fragment)
        elif self._flight:
            if fragment[1] == 0:
                for sent in self._flight:
                    self._send_datagram(sent)
            return True
        if self._queue.full():
            return False
        self._queue.put_nowait(datagram)
        return True

    def close(self) -> None:
        self._closed = True
        self._send_datagram = _nowhere  # what it was knows whose it is, and would keep both
        while self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def _recv(self) -> bytes:
        datagram = None if self._closed else await self._queue.get()
        if datagram is None:
            raise ConnectionError
        return datagram

    async def _send(self, datagram: bytes) -> None:
        if not self._answering:
            self._answering = True
            self._flight.clear()
        if len(self._flight) < _FLIGHT:
            self._flight.append(datagram)
        self._send_datagram(datagram)


def client_hello_fragment(datagram: bytes) -> tuple[int, int] | None:
    """The (message_seq, fragment_offset) of a plaintext ClientHello (RFC 6347, section 4.2.2), else None."""
    plaintext = len(datagram) >= 25 and datagram[0] == 22 and datagram[3:5] == b"\0\0"
    if not plaintext or datagram[13] != 1:
        return None
    return int.from_bytes(datagram[17:19], "big"), int.from_bytes(datagram[19:22], "big")
