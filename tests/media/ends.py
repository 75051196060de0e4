"""Both ends of the packet path without ICE and DTLS: participants are given their keys and addresses, and
time is an argument."""

from __future__ import annotations

import contextlib
import functools
import struct
from collections.abc import Callable
from dataclasses import dataclass

from pylibsrtp import Policy

from media import address, rtp, srtp
from media.address import Path
from media.datagrams import STRIDE, DatagramSocket, PacketSocket
from media.forwarder import Forwarder
from media.native import build
from media.native.loop import ALWAYS, NativeLoop
from media.packet_loop import MakeLoop, Polled, Rates, SlotNumbers, TransportNumbers
from media.srtp import Contexts, Keys

FRAME = 960
ANN, BOB, EVE = 1, 2, 3
OPUS, RED = 111, 63

OpenSocket = Callable[[str, int], PacketSocket]

LOOPS: dict[str, MakeLoop] = {"python": Forwarder}
with contextlib.suppress(build.NotBuiltError):
    build.build()
    LOOPS["native"] = NativeLoop
    LOOPS["native overloaded"] = functools.partial(NativeLoop, overload=ALWAYS)


@dataclass(frozen=True)
class Heard:
    """A packet as a listener decrypts it."""

    marker: int
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    header: bytes
    payload: bytes


class End:
    """A participant's end: its socket and the other half of its keys."""

    def __init__(
        self, number: int, open_socket: OpenSocket = DatagramSocket, host: str = "127.0.0.1"
    ) -> None:
        keys = bytes([number] * 28), bytes([number + 100] * 28)
        profile = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
        self.keys = Keys(profile, receive=keys[0], transmit=keys[1])
        self.contexts = Contexts(Keys(profile, receive=keys[1], transmit=keys[0]))
        self.socket = open_socket(host, 0)
        self.path = Path(0, address.pack(host, self.socket.port))
        self.to = b""
        self.ssrc = 1000 + number
        #: What `hear` took in, still encrypted.
        self.raw: list[bytes] = []

    def say(
        self,
        sequence: int,
        payload: bytes,
        *,
        level: int = 30,
        payload_type: int = OPUS,
        timestamp: int | None = None,
    ) -> bytes:
        """Sends a packet, with its timestamp by its number; returns the datagram."""
        packet = struct.pack(
            ">BBHIIHHBBH",
            0x90,
            payload_type,
            sequence,
            (sequence * FRAME if timestamp is None else timestamp) & 0xFFFFFFFF,
            self.ssrc,
            0xBEDE,
            1,
            0x10,
            level,
            0,
        )
        outbox = self.socket.outbox
        outbox.buffer[: len(packet) + len(payload)] = packet + payload
        outbox.sizes[1] = len(packet) + len(payload)
        assert srtp.protect(self.contexts.transmit, outbox.pointers[0], outbox.lengths[0]) == 0
        datagram = bytes(outbox.buffer[: outbox.sizes[1]])
        self.socket.send(self.to, datagram)
        return datagram

    def say_red(self, sequence: int, payload: bytes, *earlier: bytes, level: int = 30) -> None:
        """Sends a packet in RED, which repeats those `earlier` (the oldest first)."""
        whole = b""
        for back, block in zip(range(len(earlier), 0, -1), earlier, strict=True):
            whole += ((0x80 | OPUS) << 24 | back * FRAME << 10 | len(block)).to_bytes(4, "big")
        self.say(sequence, whole + bytes([OPUS, *b"".join(earlier), *payload]), level=level, payload_type=RED)

    def hear(self) -> list[Heard]:
        heard = []
        for i in range(self.socket.receive()):
            inbox = self.socket.inbox
            self.raw.append(bytes(inbox.buffer[i * STRIDE : i * STRIDE + inbox.sizes[i]]))
            assert srtp.unprotect(self.contexts.receive, inbox.pointers[i], inbox.lengths[i]) == 0
            packet = bytes(inbox.buffer[i * STRIDE : i * STRIDE + inbox.sizes[i]])
            header = rtp.parse(packet, level_id=2)
            heard.append(
                Heard(
                    header.marker,
                    header.payload_type,
                    header.sequence,
                    header.timestamp,
                    header.ssrc,
                    packet[: header.payload],
                    packet[header.payload :],
                )
            )
        return heard


class Room:
    """Three participants; Bob and Eve hear, each in its own numbering, and Eve takes RED."""

    def __init__(
        self,
        packet_loop: MakeLoop = Forwarder,
        open_socket: OpenSocket = DatagramSocket,
        host: str = "127.0.0.1",
    ) -> None:
        self.socket = open_socket(host, 0)
        self.forwarder = packet_loop([self.socket], Rates())
        self.ends = {number: End(number, open_socket, host) for number in (ANN, BOB, EVE)}
        slots = {
            ANN: (),
            BOB: (SlotNumbers("b1", 71, 109, 2, 3), SlotNumbers("b2", 72, 109, 2, 3)),
            EVE: (SlotNumbers("e1", 81, OPUS, 0, 0, RED),),
        }
        for number, end in self.ends.items():
            end.to = address.pack(host, self.socket.port)
            self.forwarder.add_transport(number, TransportNumbers(OPUS, 1, slots[number], RED, 7 * number))
            self.connect(number)

    def connect(self, number: int) -> None:
        end = self.ends[number]
        self.forwarder.set_keys(number, end.keys)
        self.forwarder.learn(number, end.path)
        self.forwarder.aim(number, end.path)

    def poll(self, now: float = 0.0) -> Polled:
        """All that has come, and everybody's turns."""
        polled = self.forwarder.poll(0, now)
        if polled.more:
            rest = self.poll(now)
            for name in ("stun", "dtls", "rtcp", "missing", "onsets"):
                getattr(polled, name).extend(getattr(rest, name))
        return polled

    def close(self) -> None:
        for socket in (self.socket, *(end.socket for end in self.ends.values())):
            socket.close()
