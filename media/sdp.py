"""A session description read into types (RFC 8866), as much of it as an offer of voices needs.

Unknown lines and attributes are skipped, as the RFC wants; what is needed and wrong raises `BadOffer`, which
names it. Sizes are bounded before anything is taken apart. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

MAX_CHARACTERS: Final = 64 * 1024
MAX_LINES: Final = 4000
MAX_SECTIONS: Final = 64

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,64}")
_ICE_CHARS: Final = re.compile(r"[A-Za-z0-9+/]+")
_FINGERPRINT: Final = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})*")
_DIGEST_OCTETS: Final = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_DIRECTIONS: Final = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})


class BadOffer(ValueError):
    """The offer cannot be answered; the sentence says what is wrong, and carries nothing of the offer that
    could be a secret."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A certificate's digest (RFC 8122): algorithm in lower case, value as AA:BB:…."""

    algorithm: str
    value: str


@dataclass(slots=True)
class Transport:
    """The attributes that may stand at the session or at an m-line (RFC 8839, RFC 8842)."""

    ufrag: str = ""
    pwd: str = ""
    setup: str = ""
    fingerprints: list[Fingerprint] = field(default_factory=list)


@dataclass(slots=True)
class Section:
    """One m-line with its attributes. `codecs` maps payload types to "name/rate/channels" in lower case
    and `parameters` to what a=fmtp says, `extensions` URIs to ids."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    mid: str = ""
    direction: str = "sendrecv"
    bundle_only: bool = False
    rtcp_mux: bool = False
    codecs: dict[int, str] = field(default_factory=dict)
    parameters: dict[int, str] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)
    transport: Transport = field(default_factory=Transport)


@dataclass(slots=True)
class Description:
    """A whole description. `session` is the user name and session id of o=, which one connection keeps in
    all its offers; `bundle` is the mids of the first BUNDLE group (RFC 9143)."""

    session: tuple[str, ...] = ()
    bundle: tuple[str, ...] = ()
    transport: Transport = field(default_factory=Transport)
    sections: list[Section] = field(default_factory=list)


def parse(text: str) -> Description:
    """Reads a description. Raises BadOffer."""
    if len(text) > MAX_CHARACTERS:
        raise BadOffer(f"the description is longer than {MAX_CHARACTERS} characters")
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise BadOffer(f"the description has more than {MAX_LINES} lines")
    if sum(line.startswith("m=") for line in lines) > MAX_SECTIONS:
        raise BadOffer(f"the description has more than {MAX_SECTIONS} m-lines")
    if not lines or lines[0].strip() != "v=0":
        raise BadOffer("the description does not start with v=0")
    description = Description()
    section: Section | None = None
    for number, line in enumerate(lines, 1):
        kind, equals, value = line.rstrip().partition("=")
        if not kind and not equals:
            continue
        if len(kind) != 1 or not equals:
            raise BadOffer(f"line {number} is not of the form x=…")
        try:
            if kind == "m":
                section = _section(value)
                description.sections.append(section)
            elif kind == "a":
                name, _, rest = value.partition(":")
                if section is None:
                    _session_attribute(description, name, rest)
                else:
                    _media_attribute(section, name, rest)
            elif kind == "o":
                description.session = tuple(value.split()[:2])
        except BadOffer as error:
            raise BadOffer(f"line {number}: {error}") from None
    return description


def _section(value: str) -> Section:
    words = value.split()
    if len(words) < 4:
        raise BadOffer("an m-line has a kind, a port, a protocol and formats")
    return Section(
        words[0].lower(), _number(words[1].partition("/")[0], 65535, "port"), words[2], tuple(words[3:])
    )


def _session_attribute(description: Description, name: str, value: str) -> None:
    if name == "group":
        semantics, *mids = value.split()[: 1 + MAX_SECTIONS] or [""]
        if semantics == "BUNDLE" and not description.bundle:
            description.bundle = tuple(mids)
    else:
        _transport_attribute(description.transport, name, value)


def _media_attribute(section: Section, name: str, value: str) -> None:
    if name == "mid":
        if not _TOKEN.fullmatch(value):
            raise BadOffer("a=mid is not a token of 1 to 64 characters")
        section.mid = value
    elif name in _DIRECTIONS:
        section.direction = name
    elif name == "rtcp-mux":
        section.rtcp_mux = True
    elif name == "bundle-only":
        section.bundle_only = True
    elif name == "rtpmap":
        number, _, codec = value.partition(" ")
        section.codecs[_number(number, 127, "payload type")] = codec.strip().lower()
    elif name == "fmtp":
        number, _, parameters = value.partition(" ")
        section.parameters[_number(number, 127, "payload type")] = parameters.strip()
    elif name == "extmap":
        number, _, rest = value.partition(" ")
        uri = rest.split(" ", 1)[0]
        section.extensions[uri] = _number(number.partition("/")[0], 65535, "extension id")
    else:
        _transport_attribute(section.transport, name, value)


def _transport_attribute(transport: Transport, name: str, value: str) -> None:
    if name == "ice-ufrag":
        if not (4 <= len(value) <= 256 and _ICE_CHARS.fullmatch(value)):
            raise BadOffer("a=ice-ufrag is not 4 to 256 ICE characters")
        transport.ufrag = value
    elif name == "ice-pwd":
        if not (22 <= len(value) <= 256 and _ICE_CHARS.fullmatch(value)):
            raise BadOffer("a=ice-pwd is not 22 to 256 ICE characters")
        transport.pwd = value
    elif name == "setup":
        if value not in {"actpass", "active", "passive", "holdconn"}:
            raise BadOffer("a=setup is none of actpass, active, passive and holdconn")
        transport.setup = value
    elif name == "fingerprint":
        algorithm, _, digest = value.partition(" ")
        octets = _DIGEST_OCTETS.get(algorithm.lower())
        if octets is None:
            return  # another digest of the same certificate may be one we know
        if not _FINGERPRINT.fullmatch(digest) or len(digest) != 3 * octets - 1:
            raise BadOffer("a=fingerprint is not a digest of its algorithm")
        if len(transport.fingerprints) < 8:
            transport.fingerprints.append(Fingerprint(algorithm.lower(), digest.upper()))


def _number(text: str, most: int, what: str) -> int:
    # isdecimal and not int() alone: int() takes signs, blanks and underscores too.
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= most):
        raise BadOffer(f"the {what} is not a number of 0 to {most}")
    return int(text)
