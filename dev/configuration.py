"""`make configuration`: docs/configuration.md, from the config classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import auth.config
import doctor.config
import gateway.config
import media.config
import rooms.config
from common.config import Common

FILE = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"
SERVICES = {
    "gateway": gateway.config.Config,
    "auth": auth.config.Config,
    "rooms": rooms.config.Config,
    "media": media.config.Config,
    "doctor": doctor.config.Config,
}
# What a default depends on, where that is the machine.
DEPENDS = {"PASSWORD_THREADS": "one a core", "GATEWAY_WEB_DIR": "`web`", "MEDIA_HOST": "`auto`"}
NOBODYS = {"GATEWAY_WORKER", "MEDIA_WORKER"}  # set by these services, for their own processes

HEAD = """# Configuration

Written by `make configuration` from the `config.py` of each service; change it there.

Settings are environment variables. `make run` takes them from its environment, from its command line
(`make run GATEWAY_PORT=9000`) and from lines of a file `.env`, and sets what follows from them. `make up`
takes those that [.env.example](../.env.example) has from `.env`, and sets the others. A setting that is
wrong is a sentence at the start. An empty one counts as not set.

`make run` has some of its own: `LAN=1` (others in the same network come in, over TLS) and `LAN_PORT` (8443).
With `MEDIA_WORKERS` it runs each worker as a service of its own.
"""


def text() -> str:
    common = fields(Common)
    parts = [HEAD, "## Every service\n", *_table(common)]
    known = {field.name for field in common}
    for name, kind in SERVICES.items():
        if kind is doctor.config.Config:  # it has all that rooms has
            known |= {field.name for field in fields(rooms.config.Config)}
        own = [field for field in fields(kind) if field.name not in known]
        parts += [f"\n## {name}\n", *_table(own)]
    return "\n".join(parts) + "\n"


def _table(settings: Any) -> Iterator[str]:
    yield "| setting | without it | what it does |"
    yield "| --- | --- | --- |"
    for field in settings:
        name, doc = field.metadata["env"], field.metadata["doc"]
        if name not in NOBODYS:
            secret = " Secret." if field.metadata["secret"] else ""
            yield f"| `{name}` | {_default(name, field)} | {doc.replace('<', '&lt;')}{secret} |"


def _default(name: str, field: Field[Any]) -> str:
    if name in DEPENDS:
        return DEPENDS[name]
    if field.default is MISSING:
        return "has to be set"
    value = ",".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
    return f"`{value}`" if value or value == 0 else ""


def main() -> None:
    FILE.write_text(text())


if __name__ == "__main__":
    main()
