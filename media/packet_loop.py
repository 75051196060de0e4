"""The interface of a packet loop, and the values that cross it.

Plain numbers and bytes go over it and no objects of either side, so that the loop in Python
(`media.forwarder`) and one in another language can stand for each other. A transport is named by a number
that the loop's owner gives out; times are seconds of one monotonic clock, and are arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from media.address import Path
from media.reception import ReportBlock
from media.srtp import Keys


@dataclass(frozen=True, slots=True)
class SlotNumbers:
    """How a listener numbers one of its slots: `level_id` and `mid_id` are 0 for an extension it lacks."""

    mid: str
    ssrc: int
    payload_type: int
    level_id: int
    mid_id: int


@dataclass(frozen=True, slots=True)
class TransportNumbers:
    """How a participant numbers what it sends (payload_type None: it only listens), and its slots."""

    payload_type: int | None
    level_id: int
    slots: tuple[SlotNumbers, ...]


@dataclass(slots=True)
class Counters:
    """Packets since the start. `dropped` is of speakers: unauthentic, malformed or not expected."""

    received: int = 0
    forwarded: int = 0
    muted: int = 0
    dropped: int = 0
    failed: int = 0


@dataclass(slots=True)
class Polled:
    """What the loop does not do itself: STUN with where it came from, DTLS and RTCP with the transport."""

    stun: list[tuple[Path, bytes]] = field(default_factory=list)
    dtls: list[tuple[int, bytes]] = field(default_factory=list)
    rtcp: list[tuple[int, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SentStream:
    """A slot as its sender report tells of it."""

    ssrc: int
    timestamp: int
    packets: int
    octets: int


class PacketLoop(Protocol):
    """Carries RTP between transports, and hands up the rest.

    Every method raises KeyError for a transport that was not added or was dropped, except where it says
    that nothing happens.
    """

    @property
    def counters(self) -> Counters: ...

    def add_transport(self, transport: int, numbers: TransportNumbers) -> None:
        """A participant, before its keys and addresses are known. It is not muted."""

    def set_keys(self, transport: int, keys: Keys) -> None:
        """What its handshake ended in. From now on it is understood, and with a path it is sent to."""

    def learn(self, transport: int, path: Path) -> None:
        """What comes on this path is the transport's."""

    def forget(self, transport: int, path: Path) -> None:
        """It is no more; nothing happens when it is another's by now."""

    def aim(self, transport: int, path: Path) -> None:
        """Send to the transport on this path."""

    def drop_transport(self, transport: int) -> None:
        """Forgets it with its routes and paths; nothing happens when it is gone already."""

    def add_route(self, source: int, listener: int, mid: str) -> None:
        """The source's packets go to the listener's slot, in place of what went there."""

    def drop_route(self, listener: int, mid: str) -> None:
        """Nothing goes to the slot any more; nothing happens when nothing did."""

    def set_muted(self, transport: int, muted: bool) -> None:
        """Whether what it says is dropped, before anything stores it."""

    def heard(self, transport: int) -> tuple[float | None, float | None]:
        """When the transport's last authentic RTP or RTCP packet came, and its last RTP packet."""

    def levels(self) -> dict[int, int]:
        """The loudest level (RFC 6464: -dBov, 0 … 127, smaller is louder) of each transport that spoke
        since the last call."""

    def sender_reported(self, transport: int, ssrc: int, ntp_middle: int, now: float) -> None:
        """The transport sent a sender report; one of an SSRC that it does not use is passed over."""

    def report(self, transport: int, now: float) -> ReportBlock | None:
        """How the transport's own voice arrives; None before its first packet."""

    def sent(self, transport: int, now: float) -> list[SentStream]:
        """The transport's slots that have carried something."""

    def send(self, path: Path, datagram: bytes) -> None:
        """Sends a datagram as it is."""

    def send_rtcp(self, transport: int, packet: bytes) -> None:
        """Encrypts and sends a compound packet, and drops it before there are keys and a path."""

    def poll(self, socket: int, now: float) -> Polled:
        """Works off what has arrived on a socket, and hands up what is not RTP."""
