"""The settings of a media worker."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

import ifaddr

from common import config
from common.config import Common, setting


def addresses(raw: str) -> tuple[str, ...]:
    """`auto`, or a comma-separated list of IP addresses."""
    if raw.strip() == "auto":
        return ()
    return _numeric(raw)


def _numeric(raw: str) -> tuple[str, ...]:
    hosts = config.words(raw)
    for host in hosts:
        try:
            unspecified = ipaddress.ip_address(host).is_unspecified
        except ValueError:
            raise ValueError("must be auto or IP addresses with commas between") from None
        if unspecified:
            # A socket on every address answers from whichever the kernel likes, and ICE wants the same one.
            raise ValueError("must name the addresses, or be auto for all of them")
    return hosts


@dataclass(frozen=True)
class Config(Common):
    """What `python -m media` reads."""

    listen: str = setting(
        "MEDIA_LISTEN", "host:port of the gRPC API.", "127.0.0.1:50053", parse=config.address
    )
    hosts: tuple[str, ...] = setting(
        "MEDIA_HOST",
        "Addresses voices are received on, with commas between; auto is every IPv4 address of the machine.",
        (),
        parse=addresses,
    )
    advertise: tuple[str, ...] = setting(
        "MEDIA_ADVERTISE",
        "Addresses told to the clients instead of MEDIA_HOST, behind NAT or in a container.",
        (),
        parse=_numeric,
    )
    port: int = setting("MEDIA_PORT", "UDP port of the voices.", 24780, parse=config.port)
    max_rooms: int = setting(
        "MEDIA_MAX_ROOMS", "Rooms a worker takes.", 1000, parse=config.integer(1, 100_000)
    )
    max_participants: int = setting(
        "MEDIA_MAX_PARTICIPANTS", "Voices a room takes.", 500, parse=config.integer(1, 10_000)
    )
    max_slots: int = setting(
        "MEDIA_MAX_SLOTS", "Voices a participant hears at once, at most.", 32, parse=config.integer(1, 60)
    )


def local_addresses() -> tuple[str, ...]:
    """Every IPv4 address of the machine, those of other machines' interest first and loopback last."""
    found = {
        ip.ip
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if ip.is_IPv4 and isinstance(ip.ip, str)
    }
    ordered = sorted(found, key=lambda host: (ipaddress.ip_address(host).is_loopback, socket.inet_aton(host)))
    return tuple(ordered)
