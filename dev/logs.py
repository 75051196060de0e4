"""`make logs`: the logs of all programs in one stream, or of one, followed as they grow."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from dev.place import Place, StackError

LAST_LINES = 20
EVERY = 0.2


def follow(place: Place, names: Sequence[str], only: str = "") -> None:
    """Print the last lines and then every new one, until interrupted."""
    if only and only not in names:
        raise StackError(f"There is no service {only!r}: SERVICE is one of {', '.join(names)}.")
    shown = [only] if only else list(names)
    width = 0 if only else max(map(len, shown)) + 2
    logs = [Log(name, place.log(name)) for name in shown]
    if not any(log.file.exists() for log in logs):
        raise StackError("There are no logs yet: `make run` starts everything.")
    for log in logs:
        _print(log, log.new_lines()[-LAST_LINES:], width)
    while True:
        time.sleep(EVERY)
        for log in logs:
            _print(log, log.new_lines(), width)


def _print(log: "Log", lines: Sequence[str], width: int) -> None:
    for line in lines:
        print(f"{log.name:<{width}}{line}" if width else line, flush=True)


@dataclass
class Log:
    """One log file, read on from where it was last read; it may not be there yet, or be rotated meanwhile."""

    name: str
    file: Path
    _open: IO[str] | None = None
    _part: str = field(default="")

    def new_lines(self) -> list[str]:
        """The whole lines that were written since the last call."""
        text = self._part + self._read()
        *lines, self._part = text.split("\n")
        return lines

    def close(self) -> None:
        if self._open:
            self._open.close()

    def _read(self) -> str:
        text = self._open.read() if self._open else ""
        try:
            seen = self.file.stat()
        except FileNotFoundError:
            return text
        if self._open is None or not _is_same(self._open, seen.st_dev, seen.st_ino):
            self.close()
            self._open = self.file.open(errors="replace")
            text += self._open.read()
        return text


def _is_same(file: IO[str], device: int, inode: int) -> bool:
    now = os.fstat(file.fileno())
    return (now.st_dev, now.st_ino) == (device, inode)
