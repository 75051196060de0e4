"""The little of STUN that an ICE-lite agent needs: it reads a connectivity check and answers it (RFC 8489;
RFC 8445, sections 7.1 and 7.3). Pure; what is no authentic check reads as None, and nothing is raised.

Every participant asks every 5 s whether it may go on (RFC 7675), and each time it is the first thing that the
worker does after a sleep. Why it is not aioice's parser: docs/adr/0095-stun-of-our-own.md.
"""

from __future__ import annotations

import hmac
import struct
import zlib
from typing import Final, NamedTuple

from media.address import Address

_REQUEST: Final = b"\x00\x01"
_RESPONSE: Final = 0x0101
_ERROR: Final = 0x0111
_COOKIE: Final = b"\x21\x12\xa4\x42"
_HEADER: Final = 20

_USERNAME: Final = 0x0006
_INTEGRITY: Final = 0x0008
_ERROR_CODE: Final = 0x0009
_MAPPED_ADDRESS: Final = 0x0020
_USE_CANDIDATE: Final = 0x0025
_FINGERPRINT: Final = 0x8028
_CONTROLLED: Final = 0x8029

_ATTRIBUTE: Final = struct.Struct(">HH")
#: Heads and values: an HMAC-SHA1, a CRC-32.
_INTEGRITY_SIZE: Final = 4 + 20
_FINGERPRINT_SIZE: Final = 4 + 4
_FINGERPRINT_XOR: Final = 0x5354554E


class Check(NamedTuple):
    """An authentic Binding request. `controlled`: its sender thinks it is the controlled agent; `nominates`:
    it has USE-CANDIDATE."""

    transaction: bytes
    username: bytes
    controlled: bool
    nominates: bool


def username(datagram: bytes) -> bytes:
    """What a Binding request says it is for, true or not; else b"".

    A flood of made-up requests costs this much, and no HMAC.
    """
    if datagram[:2] != _REQUEST or datagram[4:8] != _COOKIE:
        return b""
    at = _HEADER
    while at + 4 <= len(datagram):
        kind, size = _ATTRIBUTE.unpack_from(datagram, at)
        if kind == _USERNAME:
            return datagram[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4
    return b""


def read(datagram: bytes, key: bytes) -> Check | None:
    """A Binding request with a USERNAME, MESSAGE-INTEGRITY by `key` and, last of all, FINGERPRINT.

    Of an attribute that comes twice the first counts, and nothing between MESSAGE-INTEGRITY and FINGERPRINT
    (sections 14 and 14.5). What ICE-lite has no use for is passed over.
    """
    end = len(datagram)
    if end < _HEADER or datagram[:2] != _REQUEST or datagram[4:8] != _COOKIE:
        return None
    if end != _HEADER + int.from_bytes(datagram[2:4], "big"):
        return None
    name: bytes | None = None
    controlled = nominates = authentic = False
    at = _HEADER
    while at + 4 <= end:
        kind, size = _ATTRIBUTE.unpack_from(datagram, at)
        value = at + 4
        after = value + size + -size % 4
        if after > end:
            return None
        if kind == _FINGERPRINT:
            whole = after == end and size == 4
            if not whole or datagram[value:end] != _fingerprint(datagram[:at]):
                return None
            if name is None or not authentic:
                return None
            return Check(datagram[8:20], name, controlled, nominates)
        if authentic:
            pass
        elif kind == _INTEGRITY:
            covered = datagram[:2] + (value + 20 - _HEADER).to_bytes(2, "big") + datagram[4:at]
            authentic = hmac.compare_digest(datagram[value : value + size], hmac.digest(key, covered, "sha1"))
            if not authentic:
                return None
        elif kind == _USERNAME:
            name = datagram[value : value + size] if name is None else name
        elif kind == _USE_CANDIDATE:
            nominates = True
        elif kind == _CONTROLLED:
            controlled = True
        at = after
    return None


def response(check: Check, source: Address, key: bytes) -> bytes:
    """The answer that says where the check came from."""
    return _signed(_RESPONSE, check.transaction, _xor_mapped(source, check.transaction), key)


def role_conflict(check: Check, key: bytes) -> bytes:
    """The answer that makes its sender take the other role (RFC 8445, section 7.3.1.1)."""
    reason = b"Role Conflict"
    body = _ATTRIBUTE.pack(_ERROR_CODE, 4 + len(reason)) + b"\0\0\x04\x57" + reason + bytes(-len(reason) % 4)
    return _signed(_ERROR, check.transaction, body, key)


def _xor_mapped(source: Address, transaction: bytes) -> bytes:
    """Section 14.2. A sockaddr has port and host in network order as well."""
    family, host = (1, source[4:8]) if len(source) == 16 else (2, source[8:24])
    plain, mask = source[2:4] + host, _COOKIE[:2] + (_COOKIE + transaction)[: len(host)]
    mixed = int.from_bytes(plain, "big") ^ int.from_bytes(mask, "big")
    size = len(plain)
    return struct.pack(">HHH", _MAPPED_ADDRESS, 2 + size, family) + mixed.to_bytes(size, "big")


def _signed(kind: int, transaction: bytes, body: bytes, key: bytes) -> bytes:
    """The message, with MESSAGE-INTEGRITY and FINGERPRINT. Each covers what is before it, and a length that
    counts itself in."""
    rest = _COOKIE + transaction + body
    covered = _ATTRIBUTE.pack(kind, len(body) + _INTEGRITY_SIZE) + rest
    message = _ATTRIBUTE.pack(kind, len(body) + _INTEGRITY_SIZE + _FINGERPRINT_SIZE) + rest
    message += _ATTRIBUTE.pack(_INTEGRITY, 20) + hmac.digest(key, covered, "sha1")
    return message + _ATTRIBUTE.pack(_FINGERPRINT, 4) + _fingerprint(message)


def _fingerprint(before: bytes) -> bytes:
    return (zlib.crc32(before) ^ _FINGERPRINT_XOR).to_bytes(4, "big")
