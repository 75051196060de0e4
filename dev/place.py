"""Where a stack lives: the checkout, and the folder with what it makes while it runs."""

import hashlib
import os
import pwd
import tempfile
from dataclasses import dataclass
from pathlib import Path

# The system allows 107 bytes for a socket's path (macOS 103), and the supervisor binds a longer name first.
LONGEST_SOCKET_PATH = 90


class StackError(Exception):
    """The stack cannot be started or stopped; the message is the whole of what the user needs to read."""


@dataclass(frozen=True)
class Place:
    """`root` is the checkout; `run` (`.run`) holds data, keys, secrets, logs and the records of processes."""

    root: Path
    run: Path

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def pids(self) -> Path:
        return self.run / "pids"

    @property
    def supervisor_config(self) -> Path:
        return self.run / "supervisor.conf"

    @property
    def supervisor_socket(self) -> Path:
        beside = self.run / "supervisor.sock"
        if len(os.fsencode(beside)) <= LONGEST_SOCKET_PATH:
            return beside
        mark = hashlib.sha256(os.fsencode(self.run)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"cwrkplanet-{os.geteuid()}-{mark}" / "supervisor.sock"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def shown(self, path: Path) -> str:
        """`path` as the user would type it from the checkout."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def prepare(self) -> None:
        """Make the folders, closed to other users.

        As root, others may pass through `.run` (not list it): PostgreSQL's data in it belongs to `nobody`.
        What is secret is in files and folders that are closed themselves.
        """
        for folder in (self.run, self.logs, self.pids, self.supervisor_socket.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner = folder.stat().st_uid
            if owner != os.geteuid():
                raise StackError(
                    f"{self.shown(folder)} belongs to {_user(owner)}, and you are {_user(os.geteuid())}: "
                    f"run make as {_user(owner)}, or remove that folder to start anew."
                )
        self.run.chmod(0o711 if os.geteuid() == 0 else 0o700)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
