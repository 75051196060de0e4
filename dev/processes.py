"""Knowing a process again: a pid alone may by now be somebody else's, a pid with its birth is one process.

Every process of the stack is started through `dev.launch`, which records both, so that `make stop` can end
what a killed supervisor left behind and nothing else. Standard library only: `dev.launch` runs without more.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


def birth(pid: int) -> str | None:
    """When the process was started, in the system's own words; None when it is gone (a zombie is)."""
    if sys.platform.startswith("linux"):
        try:
            # "pid (name) state …": the name may hold blanks and brackets, so count from its end
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    else:  # noqa: RET505  # mypy follows one branch, for the platform it runs on
        ps = ["ps", "-o", "lstart=,stat=", "-p", str(pid)]
        started, _, state = subprocess.run(ps, capture_output=True, text=True).stdout.strip().rpartition(" ")
        return None if not started or state.startswith("Z") else started.strip()


@dataclass(frozen=True)
class Record:
    """One process of ours, as noted in a file when it was started."""

    name: str
    pid: int
    born: str

    def is_alive(self) -> bool:
        return birth(self.pid) == self.born

    def signal(self, number: signal.Signals) -> None:
        """Signal the process and what it started: each of ours leads a process group of its own."""
        if not self.is_alive():
            return
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)


def write_record(file: Path, pid: int) -> None:
    """Note the process `pid`, at once or not at all: a reader never sees half a record."""
    draft = file.with_suffix(".new")
    draft.write_text(f"{pid} {birth(pid)}\n")
    draft.replace(file)


def read_records(folder: Path) -> list[Record]:
    """The processes noted in `folder` that are still alive."""
    records = []
    for file in sorted(folder.glob("*.pid")):
        pid, _, born = file.read_text().strip().partition(" ")
        record = Record(file.stem, int(pid), born)
        if record.is_alive():
            records.append(record)
    return records


def end(records: list[Record], *, patience: float = 10.0) -> None:
    """Ask the processes to stop, and kill those that have not after `patience` seconds."""
    for record in records:
        # PostgreSQL waits on SIGTERM until its clients leave, on SIGINT it sends them away.
        record.signal(signal.SIGINT if record.name == "postgres" else signal.SIGTERM)
    wait_until_gone(records, patience)
    for record in records:
        record.signal(signal.SIGKILL)
    wait_until_gone(records, patience)


def wait_until_gone(records: list[Record], patience: float) -> bool:
    """Wait until none of them is alive; False when one still is after `patience` seconds."""
    deadline = time.monotonic() + patience
    while any(record.is_alive() for record in records):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)  # not our children: there is nothing to wait on
    return True
