"""A process of the system under test: started, frozen, stopped and killed at will."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from common import rpc
from dev.child import spawn

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 30.0  # what operators give a service, in docker-compose.yml and in Kubernetes


@dataclass
class Program:
    """`python -m MODULE` with these settings. `inside`: the network that it is started in."""

    name: str
    module: str
    env: dict[str, str]
    log: Path
    ready: Callable[[], bool]
    inside: Callable[[], AbstractContextManager[object]] = field(default=nullcontext, kw_only=True)
    process: subprocess.Popen[bytes] | None = field(default=None, kw_only=True)

    def start(self) -> None:
        """Start it, unless it runs."""
        if self.process is None or self.process.poll() is not None:
            with self.inside():
                self.process = spawn(
                    [sys.executable, "-m", self.module],
                    log=self.log,
                    death_signal=signal.SIGKILL,
                    folder=ROOT,
                    env={**os.environ, **self.env},
                )

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """As a crash does it."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def drain(self) -> None:
        """As a deploy does it, also to one that is frozen. Not ending by itself is a bug."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        if self.process is not None:
            self.process.wait(STOP_SECONDS)


@dataclass
class Rooms(Program):
    """A replica of rooms: where its websocket is, and its gRPC."""

    url: str
    client: rpc.Client
