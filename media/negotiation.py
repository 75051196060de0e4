"""An offer read for what it asks, and the answer to it.

JSEP is RFC 9429, ICE-lite RFC 8445, BUNDLE RFC 9143.

The offer has one m-line to speak in and as many to hear in as the client wants slots. The answer takes
over the offer's own payload types and extension ids: a client whose payload type changed hears nothing
and says nothing, and one whose extension ids changed refuses. Pure: credentials, addresses and SSRCs come
in as arguments.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from media import sdp
from media.rtp import AUDIO_LEVEL_URI, MID_URI
from media.sdp import BadOffer, Fingerprint

OPUS: Final = "opus/48000/2"
RED: Final = "red/48000/2"
#: Forward error correction in band, and silence that is not sent.
OPUS_PARAMETERS: Final = "minptime=10;useinbandfec=1;usedtx=1"

_PROTOCOLS: Final = frozenset(
    {
        "UDP/TLS/RTP/SAVPF",
        "UDP/TLS/RTP/SAVP",
        "RTP/SAVPF",
        "RTP/SAVP",
        "TCP/DTLS/RTP/SAVPF",
        "TCP/DTLS/RTP/SAVP",
    }
)


class Use(enum.Enum):
    """What an m-line of the offer is used for."""

    UPLINK = "recvonly"  # as the answer says it: we receive
    SLOT = "sendonly"
    IDLE = "inactive"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class MediaLine:
    """One m-line of the offer and its use. Extension ids are 1 … 14, or 0 when the offer has none;
    `red_payload_type` is 0 when it has no RED (RFC 2198) of Opus."""

    use: Use
    mid: str
    kind: str
    protocol: str
    formats: tuple[str, ...]
    payload_type: int = 0
    level_id: int = 0
    mid_id: int = 0
    red_payload_type: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that can be answered. `session` names the connection it is of."""

    session: tuple[str, ...]
    ufrag: str
    pwd: str
    fingerprints: tuple[Fingerprint, ...]
    lines: tuple[MediaLine, ...]

    @property
    def uplink(self) -> MediaLine | None:
        """The m-line the client speaks in; None for one who only listens."""
        return next((line for line in self.lines if line.use is Use.UPLINK), None)

    @property
    def slots(self) -> tuple[MediaLine, ...]:
        return tuple(line for line in self.lines if line.use is Use.SLOT)

    def is_of_the_connection_of(self, earlier: Offer) -> bool:
        """Whether the client goes on with its DTLS connection, and asks for another path (an ICE restart)."""
        return (
            len(self.session) == 2
            and self.session == earlier.session
            and set(self.fingerprints) == set(earlier.fingerprints)
        )

    def asks_the_same_as(self, earlier: Offer) -> bool:
        """Whether it wants of its m-lines what the earlier offer did. A client may list its codecs anew."""
        mine, theirs = (
            [replace(line, formats=(), protocol="") for line in each.lines] for each in (self, earlier)
        )
        return mine == theirs


class Candidate(NamedTuple):
    """A host candidate of ours: "udp", or "tcp" of the passive kind (RFC 6544)."""

    protocol: str
    host: str
    port: int


#: What stands for no candidate; nobody listens there.
_NONE: Final = Candidate("udp", "0.0.0.0", 9)  # noqa: S104


@dataclass(frozen=True, slots=True)
class Local:
    """Our side of an answer. `candidates` are best first, UDP before TCP; `ssrcs` one a slot;
    `version` is how often this connection was answered, with this answer."""

    ufrag: str
    pwd: str
    fingerprint: Fingerprint
    candidates: tuple[Candidate, ...]
    ssrcs: tuple[int, ...]
    cname: str
    version: int = 1


def read_offer(text: str, max_slots: int) -> Offer:
    """Reads an offer; m-lines past `max_slots` that want to hear stay idle. Raises BadOffer."""
    description = sdp.parse(text)
    if not description.sections:
        raise BadOffer("there is no m-line")
    bundle = description.bundle
    if not bundle and len(description.sections) == 1:
        bundle = (description.sections[0].mid,)
    mids = [section.mid for section in description.sections]
    if "" in mids:
        raise BadOffer("an m-line has no a=mid")
    if len(set(mids)) != len(mids):
        raise BadOffer("two m-lines have the same a=mid")
    lines: list[MediaLine] = []
    slots = 0
    uplink = False
    for section in description.sections:
        use = _use(section, bundle, uplink=uplink, slots_left=max_slots - slots)
        uplink = uplink or use is Use.UPLINK
        slots += use is Use.SLOT
        lines.append(_line(section, use))
    used = [line for line in lines if line.use is not Use.REJECTED]
    if not any(line.use in (Use.UPLINK, Use.SLOT) for line in used):
        raise BadOffer("no m-line is audio with Opus, in the BUNDLE group, and sends or receives")
    # The BUNDLE group's transport is that of its first m-line we take (RFC 9143, section 7.3.1).
    tagged = next(section for section in description.sections if section.mid == used[0].mid)
    ufrag = tagged.transport.ufrag or description.transport.ufrag
    pwd = tagged.transport.pwd or description.transport.pwd
    setup = tagged.transport.setup or description.transport.setup
    fingerprints = tagged.transport.fingerprints or description.transport.fingerprints
    if not ufrag or not pwd:
        raise BadOffer("a=ice-ufrag or a=ice-pwd is missing")
    if not fingerprints:
        raise BadOffer("there is no a=fingerprint with sha-256, sha-384 or sha-512")
    if setup not in ("actpass", "active"):
        raise BadOffer("a=setup must be actpass or active: the worker is the DTLS server")
    if not tagged.rtcp_mux:
        raise BadOffer("a=rtcp-mux is missing")
    return Offer(description.session, ufrag, pwd, tuple(fingerprints), tuple(lines))


def _use(section: sdp.Section, bundle: tuple[str, ...], *, uplink: bool, slots_left: int) -> Use:
    disabled = section.port == 0 and not section.bundle_only
    if disabled or section.mid not in bundle or section.kind != "audio" or section.protocol not in _PROTOCOLS:
        return Use.REJECTED
    if _opus(section) is None:
        return Use.REJECTED
    if section.direction in ("sendonly", "sendrecv") and not uplink:
        return Use.UPLINK
    if section.direction in ("recvonly", "sendrecv") and slots_left > 0:
        return Use.SLOT
    return Use.IDLE


def _usable(section: sdp.Section) -> set[int]:
    """The payload types that can be told from RTCP on the same port (RFC 5761, section 4)."""
    return {number for number in section.codecs if str(number) in section.formats and not 64 <= number < 96}


def _opus(section: sdp.Section) -> int | None:
    usable = _usable(section)
    return next((pt for pt, codec in section.codecs.items() if codec == OPUS and pt in usable), None)


def _red(section: sdp.Section, opus: int) -> int:
    """RED whose blocks are all Opus."""
    usable = _usable(section)
    for payload_type, codec in section.codecs.items():
        blocks = section.parameters.get(payload_type, "").split("/")
        if codec == RED and payload_type in usable and set(blocks) == {str(opus)}:
            return payload_type
    return 0


def _line(section: sdp.Section, use: Use) -> MediaLine:
    def extension(uri: str) -> int:
        number = section.extensions.get(uri, 0)
        return number if 1 <= number <= 14 else 0  # what the one-byte form can say

    opus = _opus(section) or 0
    return MediaLine(
        use,
        section.mid,
        section.kind,
        section.protocol,
        section.formats,
        opus,
        extension(AUDIO_LEVEL_URI),
        extension(MID_URI),
        _red(section, opus),
    )


def answer(offer: Offer, local: Local) -> str:
    """The answer: every m-line of the offer in its place, our candidates at the first one that is used."""
    bundled = [line for line in offer.lines if line.use is not Use.REJECTED]
    ssrcs = iter(local.ssrcs)
    out = ["v=0", f"o=- 1 {local.version} IN IP4 0.0.0.0", "s=-", "t=0 0"]
    out += ["a=group:BUNDLE " + " ".join(line.mid for line in bundled)]
    out += ["a=ice-lite", "a=msid-semantic:WMS *"]
    for line in offer.lines:
        if line.use is Use.REJECTED:
            out += _rejected(line)
        else:
            ssrc = next(ssrcs) if line.use is Use.SLOT else None
            out += _accepted(line, local, ssrc, first=line is bundled[0])
    return "\r\n".join(out) + "\r\n"


def _rejected(line: MediaLine) -> Iterable[str]:
    yield f"m={line.kind} 0 {line.protocol} {' '.join(line.formats)}"
    yield "c=IN IP4 0.0.0.0"
    yield f"a=mid:{line.mid}"
    yield "a=inactive"


def _accepted(line: MediaLine, local: Local, ssrc: int | None, *, first: bool) -> Iterable[str]:
    _, host, port = local.candidates[0] if first else _NONE
    formats = [line.payload_type]
    if line.red_payload_type:
        # The first one is what we want to get (RFC 3264, section 6.1).
        formats.insert(0 if line.use is Use.UPLINK else 1, line.red_payload_type)
    yield f"m=audio {port} {line.protocol} {' '.join(map(str, formats))}"
    yield f"c=IN IP{ipaddress.ip_address(host).version} {host}"
    yield f"a=mid:{line.mid}"
    yield "a=rtcp-mux"
    yield f"a=ice-ufrag:{local.ufrag}"
    yield f"a=ice-pwd:{local.pwd}"
    yield f"a=fingerprint:{local.fingerprint.algorithm} {local.fingerprint.value}"
    yield "a=setup:passive"
    if first:
        for place, candidate in enumerate(local.candidates):
            yield _candidate(place, candidate)
        yield "a=end-of-candidates"
    yield f"a=rtpmap:{line.payload_type} {OPUS}"
    yield f"a=fmtp:{line.payload_type} {OPUS_PARAMETERS}"
    # No browser offers this for voices. Chromium asks for lost packets when an answer has it all the same,
    # the others pass over it.
    yield f"a=rtcp-fb:{line.payload_type} nack"
    if line.red_payload_type:
        yield f"a=rtpmap:{line.red_payload_type} {RED}"
        yield f"a=fmtp:{line.red_payload_type} {line.payload_type}/{line.payload_type}"
    if line.level_id:
        yield f"a=extmap:{line.level_id} {AUDIO_LEVEL_URI}"
    if line.mid_id:
        yield f"a=extmap:{line.mid_id} {MID_URI}"
    yield f"a={line.use.value}"
    if ssrc is not None:
        yield f"a=msid:s{line.mid} t{line.mid}"
        yield f"a=ssrc:{ssrc} cname:{local.cname}"


def _candidate(place: int, candidate: Candidate) -> str:
    protocol, host, port = candidate
    # RFC 8445, section 5.1.2.1: a kind's preference, one's own, the component.
    priority = (126 << 24) + ((65535 - place) << 8) + 255
    kind = "typ host"
    if protocol == "tcp":
        # Below every UDP one; 4 is for passive (RFC 6544, section 4.2).
        priority = (90 << 24) + (((4 << 13) + 8191 - place) << 8) + 255
        kind = "typ host tcptype passive"
    return f"a=candidate:{place + 1} 1 {protocol} {priority} {host} {port} {kind}"
