"""The interface of a packet loop, and the values that cross it.

Plain numbers and bytes go over it and no objects of either side, so that the loop in Python
(`media.forwarder`) and one in another language can stand for each other. A transport is named by a number
that the loop's owner gives out; times are seconds of one monotonic clock, and are arguments.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from media.address import Path
from media.datagrams import PacketSocket
from media.reception import ReportBlock
from media.srtp import Keys


@dataclass(frozen=True, slots=True)
class SlotNumbers:
    """How a listener numbers one of its slots. 0 is for what it lacks: an extension, or RED."""

    mid: str
    ssrc: int
    payload_type: int
    level_id: int
    mid_id: int
    red_payload_type: int = 0


@dataclass(frozen=True, slots=True)
class TransportNumbers:
    """How a participant numbers what it sends (payload_type None: it only listens), and its slots.

    `contributor` is the speaker's number in the CSRC list of those who hear it.
    """

    payload_type: int | None
    level_id: int
    slots: tuple[SlotNumbers, ...]
    red_payload_type: int = 0
    contributor: int = 0


class Drop(enum.IntEnum):
    """Why a packet went no further."""

    STRANGER = 0  # from an address that is nobody's
    UNREADABLE = 1  # neither STUN, DTLS, RTP nor RTCP
    UNAUTHENTIC = 2  # the keys do not fit
    REPLAYED = 3  # it was here before, or is too old to know
    TOO_MANY = 4  # past what a participant may send a second, in packets or octets
    TOO_MANY_SSRCS = 5
    MALFORMED = 6  # no RTP header, or no RED where RED was announced
    UNEXPECTED = 7  # a payload type that was not negotiated, or from one who only listens
    EMPTY = 8
    TOO_LONG = 9
    MUTED = 10
    LATE = 11  # of before an unmute, a new source's start or a slot's last change, or filled in meanwhile
    UNENCRYPTABLE = 12  # to one listener; the others got it
    UNKNOWN_REPEAT = 13  # a listener asked for what is not kept, or was never sent
    TOO_MANY_REPEATS = 14  # past what a listener may ask a second
    UNATTENDED = 15  # what is handed up came faster than it was looked at


#: This part of a second's packets and octets may come at once: each is sent to everybody who listens. Of a
#: voice it is two seconds, as when a network stood still.
BURSTS: Final = 4


@dataclass(frozen=True, slots=True)
class Rates:
    """What one participant may send a second; past it, packets are dropped.

    `packets` and `octets` are of RTP and RTCP, and only authentic ones count. `checks` are STUN and `records`
    DTLS, which cost most to look at: what names the participant or comes from its address counts.
    """

    packets: int = 500  # Opus frames of 2.5 ms make 400
    octets: int = 200_000  # Opus at its most, 510 kbit/s, and RED's redundancy
    checks: int = 200  # a browser with many addresses sends 50
    records: int = 200  # a handshake is ten

    @property
    def at_once(self) -> int:
        return self.packets // BURSTS


@dataclass(slots=True)
class Counters:
    """Packets since the start, in and out.

    `recovered` were filled in from redundancy, `asked` is how often a speaker was asked for a packet,
    `repeated` went to a listener once more. `drops` has one number for each Drop.
    """

    received: int = 0
    forwarded: int = 0
    recovered: int = 0
    asked: int = 0
    repeated: int = 0
    drops: list[int] = field(default_factory=lambda: [0] * len(Drop))

    @property
    def dropped(self) -> int:
        return sum(self.drops)


@dataclass(frozen=True, slots=True)
class Overload:
    """The mode in which packets wait for the end of a tick, so that several for one listener share a send:
    whether it is on, how often it began, its ticks, and the packets that were sent with others. Only the
    native loop has it."""

    on: bool = False
    begun: int = 0
    ticks: int = 0
    segments: int = 0


@dataclass(slots=True)
class Polled:
    """What the loop does not do itself: STUN with where it came from, DTLS and RTCP with the transport.

    `missing` are questions to speakers: transport, SSRC, and the sequence numbers that did not come.
    `onsets` are transports that have begun to speak. `more`: something waits to be worked off, so poll again
    once others have had their turn.
    """

    stun: list[tuple[Path, bytes]] = field(default_factory=list)
    dtls: list[tuple[int, bytes]] = field(default_factory=list)
    rtcp: list[tuple[int, bytes]] = field(default_factory=list)
    missing: list[tuple[int, int, list[int]]] = field(default_factory=list)
    onsets: list[int] = field(default_factory=list)
    more: bool = False


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
    def counters(self) -> Counters:
        """As they are now: what one gets may, or may not, go on counting."""

    @property
    def unsent(self) -> int:
        """Datagrams that could not be sent."""

    @property
    def overload(self) -> Overload:
        """As it is now."""

    def count_drop(self, reason: Drop) -> None:
        """What was handed up is dropped by its owner."""

    @property
    def watched(self) -> list[tuple[int, int]]:
        """File descriptors, each with what to give `poll` when it is readable. To be asked after `start`."""

    def start(self) -> None:
        """Takes up what it does by itself. From now on everything is called from one thread."""

    def stop(self) -> None:
        """Ends that, before the sockets are closed."""

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

    def add_route(self, source: int, listener: int, mid: str, *, catch_up: bool = False) -> None:
        """The source's packets go to the listener's slot, in place of what went there; with
        `catch_up` what it has just said goes at once: the word that it has begun, or its last 100 ms."""

    def drop_route(self, listener: int, mid: str) -> None:
        """Nothing goes to the slot any more; nothing happens when nothing did."""

    def set_muted(self, transport: int, muted: bool) -> None:
        """Whether what it says is dropped, before anything stores it. A mute also forgets what is stored:
        nothing of before or in between is ever sent again."""

    def repeat(self, transport: int, ssrc: int, sequences: list[int], now: float) -> None:
        """The transport asks for packets of its slot `ssrc` once more; those that are not kept it does not
        get."""

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
        """Works off some of what has arrived on a socket, a little of each participant's, and hands up what
        is not RTP."""


#: Makes the packet loop over sockets.
MakeLoop = Callable[[Sequence[PacketSocket], Rates], PacketLoop]
