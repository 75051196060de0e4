"""Opens what the settings say: a UDP socket and a TCP listener with one number on each address."""

from __future__ import annotations

import errno
from contextlib import ExitStack

from common import log
from common.config import ConfigError
from media.config import Config, local_addresses
from media.datagrams import DatagramSocket, PacketSocket
from media.streams import StreamSocket

#: Tries for a number that is free for both, where any will do.
_TRIES = 20

logger = log.get("media.sockets")


def open_sockets(config: Config) -> list[PacketSocket]:
    """All of them, UDP first. Raises ConfigError when one cannot be had."""
    with ExitStack() as opened:
        pairs: list[list[PacketSocket]] = []
        for host in config.hosts or local_addresses():
            try:
                pair = _pair(host, config)
            except OSError as error:
                if not config.hosts and error.errno == errno.EADDRNOTAVAIL:
                    # It came or went just now, as an IPv6 address of an interface that comes up does.
                    logger.warning("address passed over", host=host, why=error.strerror)
                    continue
                raise ConfigError(
                    f"MEDIA_PORT={config.port}: UDP or TCP {host}:{config.port} cannot be had"
                    f" ({error.strerror}); stop what uses it, choose another port, or set MEDIA_HOST."
                    " MEDIA_TCP_CONNECTIONS=0 does without TCP."
                ) from None
            pairs.append(pair)
            for each in pair:
                opened.callback(each.close)
        if not pairs:
            raise ConfigError("MEDIA_HOST=auto finds no address on this machine: name one.")
        opened.pop_all()
    return [each for kind in (0, 1) for pair in pairs for each in pair[kind : kind + 1]]


def _pair(host: str, config: Config) -> list[PacketSocket]:
    for tries_left in reversed(range(_TRIES)):
        datagrams = DatagramSocket(host, config.port)
        if not config.tcp_connections:
            return [datagrams]
        try:
            return [
                datagrams,
                StreamSocket(
                    host, datagrams.port, connections=config.tcp_connections, unproven=config.tcp_unproven
                ),
            ]
        except OSError:
            datagrams.close()
            if config.port or not tries_left:
                raise
    raise AssertionError("not reached")
