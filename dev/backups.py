"""`make backup` and `make restore`: deploy/backup and deploy/restore, told where all is without Docker."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from dev.place import Place, StackError
from dev.postgres import BINARIES

#: What `make restore` is to be told.
WHICH = "Which backup? As in make restore BACKUP=backups/20261122T230500Z"


def run(script: str, place: Place, env: Mapping[str, str], database_url: str, folder: str) -> NoReturn:
    """Becomes deploy/`script`, which starts the stack of `env` again where it stops it. Raises StackError."""
    if script == "restore" and not folder:
        raise StackError(WHICH)
    command = [str(place.root / "deploy" / script), *([folder] if folder else [])]
    os.execve(command[0], command, {**env, **told(place, env, database_url)})  # noqa: S606  # no shell is meant


def told(place: Place, env: Mapping[str, str], database_url: str) -> dict[str, str]:
    """Where PostgreSQL and the keys are, for the scripts; and what stops and starts those who write.

    The scripts split these commands at blanks, and run them in the checkout.
    """
    server = urlsplit(database_url)
    return {
        "PATH": f"{BINARIES}{os.pathsep}{env.get('PATH', os.defpath)}",
        "PGHOST": server.hostname or "",
        "PGPORT": str(server.port or 5432),
        "PGUSER": unquote(server.username or ""),
        "PGPASSWORD": unquote(server.password or ""),
        "PGDATABASE": server.path.lstrip("/"),
        "POSTGRES": "env",  # runs what follows
        "AUTH": "env",
        "KEYS": str(Path(place.root, env["AUTH_KEYS_DIR"])),
        "STOP": ".venv/bin/python -m dev pause",
        "START": ".venv/bin/python -m dev run",
    }
