"""A light participant: real ICE, DTLS and SRTP, and no codec, so that one process can be fifty of them.

It offers as a browser does, and then sends made-up voice packets and looks at the headers of what comes.
The setup runs in an event loop; `send` and `receive` do not need one.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
import struct
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from aioice import stun
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_PROFILES,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
)

from media import address, srtp
from media.datagrams import INBOX, STRIDE, DatagramSocket, Inbox, Outbox
from media.srtp import Contexts, Keys

PAYLOAD_TYPE: Final = 111
LEVEL_ID: Final = 1
MID_ID: Final = 4
FRAME: Final = 960
#: Seconds between two connectivity checks while none is answered: RFC 8445's Ta.
CHECKS: Final = 0.05
#: What a payload begins with: Opus, 20 ms of full band, one channel, one frame (RFC 6716, 3.1). Whatever
#: follows it can be decoded, so that servers that do may be given it.
OPUS: Final = b"\xf8"

_HEADER: Final = struct.Struct(">BBHIIHHBBH")
_CERTIFICATE: Final = RTCCertificate.generateCertificate()
_DIGEST: Final = next(each.value for each in _CERTIFICATE.getFingerprints() if each.algorithm == "sha-256")


class Stream:
    """One slot as it arrives: how many packets, and the span of their sequence numbers."""

    __slots__ = ("first", "highest", "packets")

    def __init__(self, sequence: int) -> None:
        self.first = self.highest = sequence
        self.packets = 0

    def count(self, sequence: int) -> None:
        delta = (sequence - self.highest) & 0xFFFF
        if delta < 0x8000:
            self.highest += delta
        self.packets += 1

    @property
    def lost(self) -> int:
        return self.highest - self.first + 1 - self.packets


class Wire(Protocol):
    """What a client sends and receives by: a DatagramSocket, or something that behaves as one."""

    fd: int
    inbox: Inbox
    outbox: Outbox

    def send(self, to: address.Address, datagram: bytes) -> None: ...
    def receive(self) -> int: ...
    def close(self) -> None: ...


class Client:
    """A participant with `slots` receiving m-lines. Call `offer`, then `connect`, then send and receive."""

    role = "controlling"  # what aiortc asks of an ICE transport
    #: What it offers to encrypt by.
    profiles: Sequence[SRTPProtectionProfile] = SRTP_PROFILES

    def __init__(self, slots: int, host: str = "127.0.0.1", socket: Wire | None = None) -> None:
        self.slots = slots
        self.socket: Wire = socket or DatagramSocket(host, 0)
        #: Which of the answer's candidates it takes: the first of this protocol and IP version.
        self.protocol, self.version = "udp", ipaddress.ip_address(host).version
        self.ufrag, self.pwd = secrets.token_hex(4), secrets.token_hex(12)
        self.session = secrets.randbits(60)
        self.remote = "", ""
        self.role_of_dtls = "client"
        self.streams: dict[int, Stream] = {}
        self.ssrc = secrets.randbits(32)
        self.sequence = secrets.randbelow(0x8000)
        self.timestamp = secrets.randbits(32)
        self.sent = 0
        #: Wants each decrypted packet, unless `receive` names another.
        self.hearer: Callable[[bytes], None] | None = None
        #: Which datagram of the inbox is looked at.
        self.place = 0
        self.server: address.Address = b""
        self._contexts: Contexts | None = None
        self._dtls_in: asyncio.Queue[bytes] = asyncio.Queue(64)
        self._checked = asyncio.Event()

    # --- setting up --------------------------------------------------------------------------------------

    def offer(self) -> str:
        """An offer as Chromium's, with one m-line to speak in."""
        lines = ["v=0", f"o=- {self.session} 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
        lines += ["a=group:BUNDLE " + " ".join(str(mid) for mid in range(self.slots + 1))]
        for mid in range(self.slots + 1):
            lines += [
                f"m=audio 9 UDP/TLS/RTP/SAVPF {PAYLOAD_TYPE}",
                "c=IN IP4 0.0.0.0",
                f"a=mid:{mid}",
                "a=recvonly" if mid else "a=sendonly",
                "a=rtcp-mux",
                *self.credentials(),
                "a=setup:actpass",
                f"a=rtpmap:{PAYLOAD_TYPE} opus/48000/2",
                f"a=extmap:{LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level",
                f"a=extmap:{MID_ID} urn:ietf:params:rtp-hdrext:sdes:mid",
            ]
            if mid == 0:
                lines += ["a=msid:stream voice", f"a=ssrc:{self.ssrc} cname:client"]
        return "\r\n".join([*lines, ""])

    def credentials(self) -> list[str]:
        """The lines that a connection is known by."""
        return [
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.pwd}",
            f"a=fingerprint:sha-256 {_DIGEST}",
        ]

    async def connect(self, answer: str) -> None:
        """ICE and DTLS with the worker of the answer."""
        fingerprint = self.take(answer)
        loop = asyncio.get_running_loop()
        loop.add_reader(self.socket.fd, self._handshaking)
        try:
            async with asyncio.timeout(10):
                while not self._checked.is_set():
                    self.check()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._checked.wait(), CHECKS)
                await self._shake_hands(fingerprint)
        finally:
            loop.remove_reader(self.socket.fd)

    def take(self, answer: str) -> str:
        """Checks go where the answer says from now on; its fingerprint."""
        attributes: dict[str, str] = {}
        for line in answer.splitlines():
            name, _, value = line.removeprefix("a=").partition(":")
            attributes.setdefault(name, value)
        self.server = self.candidates(answer)[0]
        self.remote = attributes["ice-ufrag"], attributes["ice-pwd"]
        # RFC 5763: who is active begins the DTLS handshake.
        self.role_of_dtls = "server" if attributes["setup"] == "active" else "client"
        return attributes["fingerprint"]

    def candidates(self, answer: str) -> list[address.Address]:
        """Those that it could take. Raises ConnectionError where there is none."""
        lines = [line.split() for line in answer.splitlines() if line.startswith("a=candidate")]
        found = [
            address.pack(words[4], int(words[5]))
            for words in lines
            if words[2].lower() == self.protocol and ipaddress.ip_address(words[4]).version == self.version
        ]
        if not found:
            raise ConnectionError(f"the server names no IPv{self.version} address for {self.protocol}")
        return found

    def restart(self) -> str:
        """An offer of the same connection with new credentials."""
        self.ufrag, self.pwd = secrets.token_hex(4), secrets.token_hex(12)
        return self.offer()

    def check(self, *, nominate: bool = True) -> None:
        """Sends one connectivity check."""
        self.socket.send(self.server, bytes(self._check(nominate=nominate)))

    def _check(self, *, nominate: bool = True) -> stun.Message:
        ufrag, pwd = self.remote
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes = {
            "USERNAME": f"{ufrag}:{self.ufrag}",
            "PRIORITY": 2130706431,
            "ICE-CONTROLLING": 1,
        }
        if nominate:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(pwd.encode())
        return request

    async def _shake_hands(self, fingerprint: str) -> None:
        algorithm, _, value = fingerprint.partition(" ")
        dtls = RTCDtlsTransport(self, [_CERTIFICATE])  # type: ignore[arg-type]  # read and written as one
        dtls._set_role(self.role_of_dtls)
        dtls._srtp_profiles = list(self.profiles)
        await dtls.start(RTCDtlsParameters([RTCDtlsFingerprint(algorithm, value)]))
        if dtls.state != "connected" or dtls._ssl is None:
            raise ConnectionError("the DTLS handshake failed")
        profile = SRTP_AEAD_AES_128_GCM
        if dtls._ssl.get_selected_srtp_profile() != profile.openssl_profile:
            raise ConnectionError("the worker did not choose AEAD_AES_128_GCM")
        material = dtls._ssl.export_keying_material(
            b"EXTRACTOR-dtls_srtp", 2 * (profile.key_length + profile.salt_length)
        )
        self._contexts = Contexts(
            Keys(
                profile.libsrtp_profile,
                profile.get_key_and_salt(material, 1 if dtls._role == "client" else 0),
                profile.get_key_and_salt(material, 0 if dtls._role == "client" else 1),
            )
        )
        # Nothing but voice comes from here on, and no goodbye is sent: that would end the call.
        if dtls._task is not None:
            dtls._task.cancel()

    def _handshaking(self) -> None:
        inbox = self.socket.inbox
        for i in range(self.socket.receive()):
            datagram = bytes(inbox.buffer[i * STRIDE : i * STRIDE + inbox.sizes[i]])
            if datagram[0] < 4:
                self.take_stun(datagram)
            elif datagram[0] < 64 and not self._dtls_in.full():
                self._dtls_in.put_nowait(datagram)

    def take_stun(self, _datagram: bytes) -> None:
        """What a server that is ICE-lite sends can only be the answer to a check."""
        self._checked.set()

    async def _recv(self) -> bytes:
        return await self._dtls_in.get()

    async def _send(self, datagram: bytes) -> None:
        self.socket.send(self.server, datagram)

    @property
    def contexts(self) -> Contexts:
        """The SRTP state, once connected."""
        if self._contexts is None:
            raise ConnectionError("not connected")
        return self._contexts

    # --- voice -------------------------------------------------------------------------------------------

    def send(
        self, payload: bytes, level: int = 30, marker: int = 0, payload_type: int = PAYLOAD_TYPE
    ) -> bytes:
        """Sends one 20 ms packet with `level` -dBov; returns the datagram."""
        outbox = self.socket.outbox
        _HEADER.pack_into(
            outbox.buffer,
            0,
            0x90,
            marker | payload_type,
            self.sequence & 0xFFFF,
            self.timestamp & 0xFFFFFFFF,
            self.ssrc,
            0xBEDE,
            1,
            LEVEL_ID << 4,
            0x80 | level,
            0,
        )
        end = _HEADER.size + len(payload)
        outbox.buffer[_HEADER.size : end] = payload
        outbox.sizes[1] = end
        if srtp.protect(self.contexts.transmit, outbox.pointers[0], outbox.lengths[0]):
            raise ConnectionError("the packet could not be encrypted")
        datagram = bytes(outbox.buffer[: outbox.sizes[1]])
        self.socket.send(self.server, datagram)
        self.sequence += 1
        self.timestamp += FRAME
        self.sent += 1
        return datagram

    def receive(self, heard: Callable[[bytes], None] | None = None) -> int:
        """Takes in what has come, counts it a slot, and returns how many RTP packets there were.

        Only the header is looked at, unless `heard` wants the decrypted packets.
        """
        total = 0
        while True:
            count = self.socket.receive()
            total += self._count(count, heard or self.hearer)
            if count < INBOX:
                return total

    def _count(self, count: int, heard: Callable[[bytes], None] | None) -> int:
        inbox, streams = self.socket.inbox, self.streams
        buffer = inbox.buffer
        packets = 0
        for i in range(count):
            start = i * STRIDE
            if not 128 <= buffer[start] < 192 or 64 <= buffer[start + 1] & 0x7F < 96:
                if buffer[start] < 4:
                    self.take_stun(bytes(buffer[start : start + inbox.sizes[i]]))
                continue
            packets += 1
            sequence = buffer[start + 2] << 8 | buffer[start + 3]
            ssrc = int.from_bytes(buffer[start + 8 : start + 12], "big")
            stream = streams.get(ssrc)
            if stream is None:
                stream = streams[ssrc] = Stream(sequence)
            stream.count(sequence)
            if heard is not None:
                if srtp.unprotect(self.contexts.receive, inbox.pointers[i], inbox.lengths[i]):
                    raise ConnectionError("a packet was not authentic")
                self.place = i
                heard(bytes(buffer[start : start + inbox.sizes[i]]))
        return packets


def stamped(size: int, now_ns: int | None = None) -> bytes:
    """A payload of `size` octets that ends with the time, of `time.monotonic` where none is given."""
    now_ns = time.monotonic_ns() if now_ns is None else now_ns
    return OPUS + bytes(size - 9) + struct.pack(">Q", now_ns)


def payload_of(packet: bytes) -> bytes:
    """What a forwarded packet carries."""
    start = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    return packet[start:]


def made_at(payload: bytes) -> float:
    """When a stamped payload was made, seconds of the clock that it was stamped by."""
    return int.from_bytes(payload[-8:], "big") / 1e9
