"""The servers that are measured side by side: ours, and those that people could pick instead."""

from __future__ import annotations

from bench.servers.janus import Janus
from bench.servers.ours import Ours
from bench.servers.plain import MEDIARELAY, PION, WERIFT_SFU
from bench.servers.server import Server

ALL: dict[str, Server] = {
    server.name: server for server in (Ours("native"), Ours("python"), Janus(), PION, WERIFT_SFU, MEDIARELAY)
}
