"""The settings of a media worker."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

import ifaddr

from common import config
from common.config import Common, setting
from common.workers import processes
from media.advertised import Advertised


def addresses(raw: str) -> tuple[str, ...]:
    """`auto`, or a comma-separated list of IP addresses."""
    if raw.strip() == "auto":
        return ()
    hosts = tuple(word.strip("[]") for word in config.words(raw))
    for host in hosts:
        try:
            unspecified = ipaddress.ip_address(host).is_unspecified
        except ValueError:
            raise ValueError("must be auto or IP addresses with commas between") from None
        if unspecified:
            # A socket on every address answers from whichever the kernel likes, and ICE wants the same one.
            raise ValueError("must name the addresses, or be auto for all of them")
    return hosts


# A last part of digits only would be an address that is written wrongly.
_NAME = re.compile(r"(?!.*(^|\.)[0-9]+$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")


def advertised(raw: str) -> tuple[Advertised, ...]:
    """A comma-separated list of IP addresses and names, each with `:port` or without."""
    return tuple(_advertised(word) for word in config.words(raw))


def _advertised(word: str) -> Advertised:
    host, port = word, None
    if word.startswith("["):
        host, bracket, rest = word[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError("must have an IPv6 address with a port as [2001:db8::1]:24780")
        port = rest[1:] or None
    elif word.count(":") == 1:
        host, _, port = word.partition(":")
    if not (_is_address(host) or _NAME.fullmatch(host)):
        raise ValueError("must be IP addresses and names with commas between")
    return Advertised(host, None if port is None else config.integer(1, 65535)(port))


@dataclass(frozen=True)
class Config(Common):
    """What `python -m media` reads."""

    listen: str = setting(
        "MEDIA_LISTEN", "host:port of the gRPC API.", "127.0.0.1:50053", parse=config.address
    )
    hosts: tuple[str, ...] = setting(
        "MEDIA_HOST",
        "The machine's own addresses that voices are received on, IPv4 and IPv6, with commas between;"
        " auto is all of them.",
        (),
        parse=addresses,
    )
    advertise: tuple[Advertised, ...] = setting(
        "MEDIA_ADVERTISE",
        "What clients are told instead of MEDIA_HOST, where they reach this machine by other addresses"
        " (a router's port forwarding, a container): addresses or names, with commas between, each with :port"
        " where that differs. Names are looked up each minute. List the machine's own address too where some"
        " clients are in the same network.",
        (),
        parse=advertised,
    )
    port: int = setting(
        "MEDIA_PORT",
        "UDP port of the voices, and TCP port for clients without UDP.",
        24780,
        parse=config.port,
    )
    workers: int = setting(
        "MEDIA_WORKERS",
        "In how many processes it works, each a worker of its own with ports that follow on MEDIA_LISTEN,"
        " MEDIA_PORT and METRICS_LISTEN; auto for one a core. MEDIA_ADDR of rooms has to name each.",
        1,
        parse=processes,
    )
    is_worker: bool = setting(
        "MEDIA_WORKER",
        "Set by the media service itself, for its workers.",
        False,
        parse=lambda raw: raw == "1",
    )
    loop: str = setting(
        "MEDIA_LOOP",
        "What carries the voices: native (in C, compiled at the first start), python, or auto: native where"
        " there is a C compiler.",
        "auto",
        parse=config.choice("auto", "python", "native"),
    )
    overload: str = setting(
        "MEDIA_OVERLOAD",
        "Whether the native loop sends several packets for one listener at once: auto, when it is short of"
        " time; always or never, for tests.",
        "auto",
        parse=config.choice("auto", "always", "never"),
    )
    tcp_connections: int = setting(
        "MEDIA_TCP_CONNECTIONS",
        "TCP connections the worker holds on each address; 0: it listens on UDP alone.",
        2000,
        parse=config.integer(0, 100_000),
    )
    tcp_unproven: int = setting(
        "MEDIA_TCP_UNPROVEN",
        "TCP connections from one address (an IPv6 /64) that have not shown yet whose they are.",
        32,
        parse=config.integer(1, 10_000),
    )
    drain_ms: int = setting(
        "MEDIA_DRAIN_MS",
        "Over how many milliseconds the rooms of a stopping worker are sent to others.",
        2000,
        parse=config.integer(0, 60_000),
    )
    max_rooms: int = setting(
        "MEDIA_MAX_ROOMS", "Rooms a worker takes.", 1000, parse=config.integer(1, 100_000)
    )
    max_participants: int = setting(
        "MEDIA_MAX_PARTICIPANTS", "Voices a room takes.", 500, parse=config.integer(1, 10_000)
    )
    max_slots: int = setting(
        "MEDIA_MAX_SLOTS", "Voices a participant hears at once, at most.", 32, parse=config.integer(1, 60)
    )
    max_packets: int = setting(
        "MEDIA_MAX_PACKETS",
        "Packets a second a participant may send; those past it are dropped. 50 are usual.",
        500,
        parse=config.integer(50, 100_000),
    )
    max_octets: int = setting(
        "MEDIA_MAX_OCTETS",
        "Octets a second a participant may send; packets past it are dropped. 6,000 to 12,000 are usual.",
        200_000,
        parse=config.integer(10_000, 10_000_000),
    )


def _is_address(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def local_addresses() -> tuple[str, ...]:
    """Every address of the machine but link-local ones: IPv4 first, loopback last."""
    found = set()
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            # ifaddr has an IPv6 address as (address, flow, scope).
            host = ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0].partition("%")[0])
            if not host.is_link_local:
                found.add(host)
    ordered = sorted(found, key=lambda host: (host.is_loopback, host.version, host.packed))
    return tuple(str(host) for host in ordered)
