"""What a module of the page imports and exports, as far as `web/` writes it.

Only what stands at the beginning of a line is looked at, or in what is minified right after a statement: that
is where a formatter puts imports and exports, and nothing else there begins with these words.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

_AT_START = r"(?:^|(?<=[;}]))"
_FROM = r"['\"](?P<path>\.{1,2}/[^'\"]+)['\"];?"
#: `import { a, b as c } from './x.js';`, `import * as x from …`, `import x from …`, `import './x.js';`
IMPORT = re.compile(
    _AT_START + r"import\b\s*(?:(?P<what>\{[^}]*\}|\*\s*as\s+\w+|\w+)\s*from\s*)?" + _FROM, re.MULTILINE
)
#: `export { a, b as c } from './x.js';`
EXPORT_FROM = re.compile(_AT_START + r"export\s*(?P<what>\{[^}]*\})\s*from\s*" + _FROM, re.MULTILINE)
#: `import('./x.js')`, which is for later
LATER = re.compile(r"\bimport\(['\"](\.{1,2}/[^'\"]+)['\"]\)")
_COMMENT = r"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/"
#: Comments that have lines of their own.
COMMENTS = re.compile(rf"^[ \t]*(?:{_COMMENT}[ \t]*|//[^\n]*)\n", re.MULTILINE)


def resolved(name: str, path: str) -> str:
    """The module that `name` means by `path`, both from the folder of the page."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def modules_of(sources: Mapping[str, str], entry: str) -> list[str]:
    """`entry` and all that it imports, directly or not, nearest first. What is not there is left out."""
    found: dict[str, None] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop(0)
        if name in found or name not in sources:
            continue
        found[name] = None
        source = sources[name]
        imports = [*IMPORT.finditer(source), *EXPORT_FROM.finditer(source)]
        waiting += [resolved(name, each["path"]) for each in sorted(imports, key=lambda each: each.start())]
    return list(found)


def later_of(sources: Mapping[str, str], names: list[str]) -> list[str]:
    """What the modules `names` import when it is asked for. In comments are types, which look the same."""
    code = ((name, re.sub(_COMMENT, "", sources[name])) for name in names)
    asked = [resolved(name, path) for name, text in code for path in LATER.findall(text)]
    return [name for name in dict.fromkeys(asked) if name in sources]
