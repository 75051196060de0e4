"""Become a program of the stack: note who we are, drop root where asked, and turn into it.

    python -S -m dev.launch [--as UID:GID] RECORD PROGRAM [ARGUMENT …]

The supervisor starts everything through this, so that a record (see `dev.processes`) is there from the first
moment and again after every restart. The program keeps the process id; nothing stays in between.
"""

import os
import sys
from pathlib import Path

from dev.processes import write_record


def main(arguments: list[str]) -> None:
    owner = None
    if arguments[0] == "--as":
        owner, arguments = arguments[1], arguments[2:]
    record, *command = arguments
    write_record(Path(record), os.getpid())
    if owner:
        uid, _, gid = owner.partition(":")
        os.chdir("/")  # the checkout may be out of reach for the user we become
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    os.execvp(command[0], command)  # noqa: S606  # the point of it


if __name__ == "__main__":
    main(sys.argv[1:])
