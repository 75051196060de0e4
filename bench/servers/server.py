"""What the load asks of a server, whoever made it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from bench.forward.client import Client
from dev.child import spawn, tail

ROOT = Path(__file__).resolve().parents[2]
#: What is fetched and compiled for the benches, once.
BUILT = ROOT / ".run" / "bench"
START_SECONDS = 15.0


@dataclass
class Participant:
    """Who is in a room: what it speaks by and what it hears by. One connection is both, but in Janus."""

    mouth: Client | None = None
    ears: Client | None = None

    @property
    def clients(self) -> set[Client]:
        return {client for client in (self.mouth, self.ears) if client is not None}


class Running(Protocol):
    """A server that runs, as one process."""

    pid: int

    async def enter(self, room: str, user: str, *, speaks: bool, hears: int) -> Participant:
        """Somebody comes who hears `hears` others, is connected, and may speak."""

    async def settle(self) -> None:
        """Everybody has come: who hears is connected to everybody who speaks in its room."""

    async def leave(self, room: str, user: str) -> None:
        """Who hears nobody any more goes."""


class Server(Protocol):
    """A kind of server."""

    @property
    def name(self) -> str: ...

    def prepare(self) -> str | None:
        """Fetches and compiles what it needs; a sentence when it cannot run here."""

    def version(self) -> str:
        """What it is called, with its number."""

    def running(self, host: str) -> AbstractAsyncContextManager[Running]:
        """It runs, with its voices at this address."""


@contextlib.contextmanager
def process(command: Sequence[str], port: int, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """A server's process, once it takes connections on a port of loopback; its number."""
    with TemporaryDirectory() as scratch:
        log = Path(scratch) / "log"
        with child(command, log, env, patience=2) as started:
            _listening(started, port, log)
            yield started.pid


@contextlib.contextmanager
def child(
    command: Sequence[str], log: Path, env: Mapping[str, str] | None, *, patience: float
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is asked to end, and killed when it has not after `patience` seconds."""
    started = spawn(command, log=log, folder=ROOT, env=env, death_signal=signal.SIGKILL)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(patience)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _listening(child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if child.poll() is not None or time.monotonic() > give_up:
                raise TimeoutError(f"it does not listen on {port}:\n{tail(log, 30)}") from None
            time.sleep(0.02)
        else:
            return


def found(*programs: str) -> str | None:
    """A sentence about the first of these that is not here."""
    for program in programs:
        if shutil.which(program) is None:
            return f"there is no {program} here"
    return None


def said(*command: str) -> str:
    """What a program prints of itself."""
    # Unchecked: Janus says its version and exits with 1.
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT).stdout.strip()


def tried(command: Sequence[str], what: str) -> str | None:
    """Runs it; a sentence when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=600)
    return None if done.returncode == 0 else f"{what}: {(done.stderr or done.stdout).strip()[-600:]}"


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process and all its threads so far, user and system, to the nanosecond."""
    # The clock of another process: Linux's encoding of clock_getcpuclockid(3), of the scheduler's time.
    return time.clock_gettime(~pid << 3 | 2)


def resident_bytes(pid: int) -> int:
    """Memory of a process: what it holds in RAM."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
