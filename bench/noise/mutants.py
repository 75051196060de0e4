"""Datagrams of every kind a worker takes, bent: from the outside, and from a participant who has the keys."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Final

from aioice import stun

from bench.forward.client import Client
from media import srtp
from media.datagrams import DatagramSocket

#: Real datagrams kept as a start for others.
_KEPT: Final = 200


class Insider(Client):
    """A participant that remembers what it has sent in earnest, and can encrypt what it should not say."""

    def __init__(self, socket: DatagramSocket) -> None:
        super().__init__(slots=2, socket=socket)
        self.sent_datagrams: list[bytes] = []

    async def _send(self, datagram: bytes) -> None:
        self.sent_datagrams.append(datagram)
        await super()._send(datagram)

    def encrypted(self, packet: bytes) -> bytes:
        """As SRTP; b"" when the library does not take it for a packet."""
        outbox = self.socket.outbox
        outbox.buffer[: len(packet)] = packet
        outbox.sizes[1] = len(packet)
        if srtp.protect(self.contexts.transmit, outbox.pointers[0], outbox.lengths[0]):
            return b""
        return bytes(outbox.buffer[: outbox.sizes[1]])


class Mutants:
    """Makes datagrams, the same for the same seed and insider."""

    def __init__(self, insider: Insider, seed: int) -> None:
        self._insider = insider
        self._dice = random.Random(seed)
        self._real = insider.sent_datagrams[:_KEPT]
        self._sequence = insider.sequence
        self._makers: list[Callable[[], bytes]] = [
            self._noise,
            self._bent,
            self._rtp,
            self._rtcp,
            self._stun,
            self._dtls,
        ]

    def next(self) -> bytes:
        return self._dice.choice(self._makers)()

    def _noise(self) -> bytes:
        dice = self._dice
        body = dice.randbytes(dice.choice([0, 1, 3, 12, 20, 60, 300, 1400, 1900]))
        first = dice.choice([0, 1, 20, 22, 23, 63, 64, 127, 128, 0x90, 191, 192, 255])
        return bytes([first]) + body

    def _bent(self) -> bytes:
        """A real one with a few octets changed, cut or doubled."""
        dice = self._dice
        datagram = bytearray(dice.choice(self._real))
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(datagram))
            datagram[at] = dice.randrange(256)
        if dice.random() < 0.2:
            del datagram[dice.randrange(1, len(datagram) + 1) :]
        if dice.random() < 0.1:
            datagram *= 2
        return bytes(datagram[:1900])

    def _rtp(self) -> bytes:
        """Authentic, with a header and a payload that make no sense."""
        dice = self._dice
        self._sequence += dice.choice([0, 1, 1, 1, 2, 50, 5000])
        extension = dice.randbytes(4 * dice.randrange(4))
        head = struct.pack(
            ">BBHII",
            dice.choice([0x80, 0x90, 0x90, 0xB0, 0x8F, 0x9F]),
            dice.choice([111, 111 | 0x80, 63, 0, 127]),
            self._sequence & 0xFFFF,
            dice.getrandbits(32),
            self._insider.ssrc if dice.random() < 0.999 else dice.getrandbits(32),
        )
        profile = struct.pack(
            ">HH", dice.choice([0xBEDE, 0x1000, 0]), dice.choice([len(extension) // 4, 0xFFFF])
        )
        return self._insider.encrypted(
            head + profile + extension + dice.randbytes(dice.choice([0, 1, 80, 1300]))
        )

    def _rtcp(self) -> bytes:
        """Authentic compound packets whose lengths and counts lie."""
        dice = self._dice
        compound = b""
        for _ in range(dice.randint(1, 4)):
            sender = self._insider.ssrc if dice.random() < 0.999 else dice.getrandbits(32)
            body = struct.pack(">I", sender) + dice.randbytes(4 * dice.randrange(12))
            length = dice.choice([len(body) // 4, len(body) // 4, 0, 0xFFFF])
            head = struct.pack(
                ">BBH", 0x80 | dice.randrange(64), dice.choice([200, 201, 202, 203, 204, 205, 206]), length
            )
            compound += head + body
        return self._insider.contexts.protect_rtcp(compound) or compound

    def _stun(self) -> bytes:
        """Checks with the right password and the wrong attributes."""
        dice = self._dice
        ufrag, pwd = self._insider.remote
        request = stun.Message(
            dice.choice([stun.Method.BINDING, stun.Method.BINDING, stun.Method.ALLOCATE]),
            dice.choice([stun.Class.REQUEST, stun.Class.REQUEST, stun.Class.INDICATION, stun.Class.ERROR]),
        )
        request.attributes = {"USERNAME": f"{ufrag}:{dice.choice([self._insider.ufrag, 'x', ''])}"}
        for name in dice.sample(["PRIORITY", "ICE-CONTROLLING", "ICE-CONTROLLED"], dice.randrange(4)):
            request.attributes[name] = dice.getrandbits(32)
        request.add_message_integrity(pwd.encode())
        datagram = bytearray(bytes(request))
        if dice.random() < 0.5:
            datagram[dice.randrange(len(datagram))] = dice.randrange(256)
        return bytes(datagram)

    def _dtls(self) -> bytes:
        """Records and handshake fragments whose lengths lie."""
        dice = self._dice
        body = dice.randbytes(dice.choice([0, 1, 12, 40, 200]))
        if dice.random() < 0.7:
            total = dice.choice([len(body), 0, 1, 0xFFFFFF]).to_bytes(3, "big")
            offset = dice.choice([0, 0, 1, 0xFFFFFF]).to_bytes(3, "big")
            body = (
                bytes([dice.choice([1, 1, 2, 11, 14, 16, 20])])
                + total
                + bytes([0, dice.randrange(4)])
                + offset
                + total
                + body
            )
        length = dice.choice([len(body), len(body), 0, 0xFFFF])
        return (
            bytes([dice.choice([20, 21, 22, 22, 23, 25]), 0xFE, dice.choice([0xFD, 0xFF, 0])])
            + struct.pack(">H", dice.randrange(3))
            + dice.randbytes(6)
            + struct.pack(">H", length)
            + body
        )
