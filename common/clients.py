"""Where a request comes from: the peer, or whom a proxy that we trust names.

Anybody can send `X-Forwarded-For`. It is read only when the peer's address is one
of TRUSTED_PROXIES, and only from the right: each proxy appends the address that it
saw, so the first one from there that is no proxy of ours is the client, and what
stands further left is the client's own invention.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

from aiohttp import web

from common.config import Common, choice, setting

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ADDRESS = web.RequestKey("client_address", str)
SECURE = web.RequestKey("client_secure", bool)
# Longer lists are nobody's chain of proxies.
HOPS_MAX = 16
FORWARDED_PAIR = re.compile(r'\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"\s]+)\s*')


def networks(raw: str) -> tuple[Network, ...]:
    """Addresses and CIDRs, comma-separated; the parser of TRUSTED_PROXIES."""
    try:
        return tuple(ipaddress.ip_network(word.strip()) for word in raw.split(",") if word.strip())
    except ValueError:
        raise ValueError("must be addresses or networks, as in 127.0.0.1,10.0.0.0/8") from None


@dataclass(frozen=True)
class Proxied(Common):
    """What a service reads that takes requests from people."""

    trusted_proxies: tuple[Network, ...] = setting(
        "TRUSTED_PROXIES",
        "The proxies, as addresses or networks, that are believed about where a request comes from.",
        (),
        parse=networks,
    )
    forwarded_header: str = setting(
        "TRUSTED_PROXY_HEADER",
        "The header in which they say it; whatever the others say is not read.",
        "x-forwarded-for",
        parse=choice("x-forwarded-for", "forwarded"),
    )


class Clients:
    """Notes of each request its client's address and whether it came over TLS."""

    def __init__(self, trusted: tuple[Network, ...], header: str) -> None:
        self._trusted = trusted
        self._rfc_7239 = header == "forwarded"

    def note(self, request: web.Request) -> None:
        peer = request.remote or ""
        address, scheme = peer, request.scheme
        if self._trusted and self._trusts(peer):
            address, forwarded_scheme = self._forwarded(request, peer)
            scheme = forwarded_scheme or scheme
        request[ADDRESS] = address
        request[SECURE] = scheme == "https"

    def address(self, request: web.Request) -> str:
        """Where it comes from, for who asks for no more."""
        self.note(request)
        return request[ADDRESS]

    def _trusts(self, address: str) -> bool:
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self._trusted)

    def _forwarded(self, request: web.Request, peer: str) -> tuple[str, str]:
        """The client's address, and the scheme it used where that was said."""
        if self._rfc_7239:
            elements = [_element(text) for text in _split(request.headers.getall("Forwarded", []))]
            hops = [element.get("for", "") for element in elements]
            scheme = elements[-1].get("proto", "") if elements else ""
        else:
            hops = _split(request.headers.getall("X-Forwarded-For", []))
            scheme = ["", *_split(request.headers.getall("X-Forwarded-Proto", []))][-1]
        address = peer
        for hop in reversed(hops[-HOPS_MAX:]):
            parsed = _parse(_host(hop))
            if parsed is None:  # "unknown", or nonsense: what is left of it proves nothing
                break
            address = str(parsed)
            if not self._trusts(address):
                break
        return address, scheme.lower()


@lru_cache(1024)
def _parse(address: str) -> Address | None:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    # ::ffff:10.0.0.1 is 10.0.0.1 seen through a socket that speaks both.
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _host(hop: str) -> str:
    """An address without its port: `192.0.2.1:80`, `[2001:db8::1]:80`, `2001:db8::1`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _split(values: list[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",")]


def _element(text: str) -> dict[str, str]:
    """RFC 7239: `for="[2001:db8::1]:80";proto=https`."""
    return {name.lower(): value.strip('"') for name, value in FORWARDED_PAIR.findall(text)}


def network_of(address: str) -> str:
    """Who has an IPv6 address has 2^64 of them: those count as one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
