"""Which modules a page of ours is made of, so that a browser can ask for all of them at once.

There is no build step, so each module names the next ones only when it is there: without a hint a page that
is five imports deep waits for the network five times.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

# `import … from`, `export … from` and `import` of a path; `import(…)` is for later and no part of it.
STATIC_IMPORT = re.compile(r"^(?:import|export)\b[^'\"();]*['\"](\.{1,2}/[^'\"]+)['\"]", re.MULTILINE)


def modules_of(folder: Path, entries: tuple[str, ...]) -> list[str]:
    """`entries` and all that they import, directly or not, as paths below `folder`, nearest first.

    What is not there is left out.
    """
    found: dict[str, None] = {}
    waiting = list(entries)
    while waiting:
        name = waiting.pop(0)
        path = folder / name
        if name in found or name.startswith("..") or not path.is_file():
            continue
        found[name] = None
        here = posixpath.dirname(name)
        waiting += [
            posixpath.normpath(posixpath.join(here, imported))
            for imported in STATIC_IMPORT.findall(path.read_text("utf-8"))
        ]
    return list(found)
