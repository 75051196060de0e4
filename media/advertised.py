"""The candidates a worker tells its clients: its own addresses, or those an operator says reach it."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

from common import log
from media.datagrams import DatagramSocket, PacketSocket
from media.negotiation import Candidate

#: Seconds between two looks at what a name stands for, and how long one may take.
LOOK_AGAIN: Final = 60.0
LOOK: Final = 5.0

#: An address, and the port there where it is not ours.
Reached: TypeAlias = tuple[str, int | None]

logger = log.get("media.advertised")


class Advertised(NamedTuple):
    """An address or a name, with a port where that is another one than ours."""

    host: str
    port: int | None = None

    @property
    def is_name(self) -> bool:
        return not _is_address(self.host)

    def further(self, count: int) -> str:
        """As it stands in the setting, the port so many further on."""
        if self.port is None:
            return self.host
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port + count}"


def candidates_of(
    sockets: Sequence[PacketSocket], reached_at: Sequence[Reached] = ()
) -> tuple[Candidate, ...]:
    """UDP first. `reached_at` stand for the sockets' own addresses, in every protocol there is."""
    udp = [each for each in sockets if isinstance(each, DatagramSocket)]
    tcp = [each for each in sockets if not isinstance(each, DatagramSocket)]
    found = []
    for protocol, ours in (("udp", udp), ("tcp", tcp)):
        if ours and reached_at:
            found += [Candidate(protocol, host, port or ours[0].port) for host, port in reached_at]
        else:
            found += [Candidate(protocol, each.host, each.port) for each in ours]
    return tuple(found)


async def resolve(advertised: Sequence[Advertised]) -> list[Reached]:
    """The addresses, each name by what the system's resolver says of it now. A name that cannot be
    resolved is left out, and the log says so."""
    found: list[Reached] = []
    for each in advertised:
        hosts = await _addresses(each.host) if each.is_name else [each.host]
        found += [(host, each.port) for host in hosts if (host, each.port) not in found]
    return found


async def _addresses(name: str) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(LOOK):
            infos = await loop.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError, TimeoutError) as error:  # a label that no name can have is the second
        logger.warning("name not resolved", name=name, why=str(error) or "it took too long")
        return []
    return [str(info[4][0]) for info in infos if _is_address(str(info[4][0]))]


async def keep(advertised: Sequence[Advertised], tell: Callable[[list[Reached]], None]) -> None:
    """Looks again and again, for an address at home that changes; what was found last stays until another
    is."""
    known: list[Reached] = []
    while True:
        found = await resolve(advertised)
        if found and found != known:
            known = found
            tell(found)
        await asyncio.sleep(LOOK_AGAIN)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
