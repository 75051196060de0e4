"""An entry of the page and all the modules that it imports, as one module.

To a browser each module is a request, a compilation and a dozen tasks of its main thread: of a cheap phone's
time to a room that was more than half. So what is read and changed as many small modules is sent as few. A
module becomes a function that is called when it is first used, with its imports as constants at its top:

    import { html } from './html.js';        define("components/alone.js", (() => {
    export function Alone() {}           →   const { html } = use("html.js");
                                             function Alone() {}
                                             return { Alone };
                                             }));

The first pack has everything's registry. Packs that come later have what the first one lacks, and a module
that two of them have is the one that came first. What this does not understand it refuses (`Unpackable`), and
the page is sent as it is. See docs/adr/0116.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from gateway.modules import COMMENTS, EXPORT_FROM, IMPORT, LATER, later_of, modules_of, resolved

_REGISTRY = """\
const bodies = {}, made = {};
export const define = (name, body) => (bodies[name] ??= body);
export const use = (name) => (made[name] ??= bodies[name]());
"""
_DECLARED = re.compile(
    r"^export\s+(?=(?:const|class|(?:async\s+)?function\*?)\s+(?P<name>[\w$]+))", re.MULTILINE
)
_LISTED = re.compile(r"(?:^|(?<=[;}]))export\s*(?P<what>\{[^}]*\});?", re.MULTILINE)
_DEFAULT = re.compile(r"(?:^|(?<=[;}]))export\s+default\s+", re.MULTILINE)
_LEFT = re.compile(r"(?:^|(?<=[;}]))(?:import\b(?!\()|export\b|await\b).*", re.MULTILINE)
_META = re.compile(r"\bimport\.meta\b")
_NAMES = re.compile(r"([\w$]+)(?:\s+as\s+([\w$]+))?")


class Unpackable(Exception):
    """A module is written in a way that `packs` does not know."""


def packs(sources: Mapping[str, str], entry: str) -> dict[str, str]:
    """`entry`, and each module that is imported when it is asked for, with all that they import.

    `sources` are modules by their paths in the page's folder. A pack is to be at the address of its entry: it
    exports what that exports. Raises Unpackable.
    """
    sources = {name: COMMENTS.sub("", source) for name, source in sources.items()}
    first = modules_of(sources, entry)
    _refuse_circles(sources, first)
    made = {entry: _REGISTRY + _definitions(sources, first, entry) + f"use({_text(entry)});\n"}
    waiting = later_of(sources, first)
    while waiting:
        name = waiting.pop()
        if name in made:
            continue
        modules = modules_of(sources, name)
        _refuse_circles(sources, modules)
        made[name] = (
            f"import {{ define, use }} from {_text(_relative(entry, name))};\n"
            + _definitions(sources, [each for each in modules if each not in first], name)
            + f"const entry = use({_text(name)});\n"
            + "".join(f"export const {each} = entry.{each};\n" for each, _ in _exported(sources[name], name))
        )
        waiting += later_of(sources, modules)
    return made


def _definitions(sources: Mapping[str, str], names: list[str], entry: str) -> str:
    # Brackets around a function have it compiled at once, and not looked through first.
    return "".join(
        f"define({_text(name)}, (() => {{\n{_body(sources[name], name, entry)}}}));\n" for name in names
    )


def _body(source: str, name: str, entry: str) -> str:
    exported = [f"{key}: {local}" for key, local in _exported(source, name)]
    source = EXPORT_FROM.sub("", source)
    source = IMPORT.sub(lambda found: _imported(found, name), source)
    source = _DECLARED.sub("", source)
    source = _LISTED.sub("", source)
    source = _DEFAULT.sub("const $default = ", source)
    source = LATER.sub(lambda found: f"import({_text(_relative(resolved(name, found[1]), entry))})", source)
    if left := _LEFT.search(source) or _META.search(source):
        raise Unpackable(f"{name}: {left[0][:80]}")
    return f"{source.rstrip()}\nreturn {{ {', '.join(exported)} }};\n"


def _imported(found: re.Match[str], name: str) -> str:
    module = f"use({_text(resolved(name, found['path']))})"
    what = found["what"]
    if not what:
        return f"{module};"
    if what.startswith("{"):
        taken = ", ".join(f"{key}: {local}" if local != key else key for key, local in _pairs(what))
        return f"const {{ {taken} }} = {module};"
    if what.startswith("*"):
        return f"const {what.split()[-1]} = {module};"
    return f"const {what} = {module}.default;"


def _exported(source: str, name: str) -> list[tuple[str, str]]:
    """Names of exports, and what each is within the module or elsewhere."""
    found = [(each["name"], each["name"]) for each in _DECLARED.finditer(source)]
    for each in EXPORT_FROM.finditer(source):
        module = f"use({_text(resolved(name, each['path']))})"
        found += [(local, f"{module}.{key}") for key, local in _pairs(each["what"])]
    for each in _LISTED.finditer(EXPORT_FROM.sub("", source)):
        found += [(local, key) for key, local in _pairs(each["what"])]
    return found + [("default", "$default")] * bool(_DEFAULT.search(source))


def _pairs(listed: str) -> list[tuple[str, str]]:
    """Of `{ a, b as c }`: a and a, b and c."""
    return [(key, local or key) for key, local in _NAMES.findall(listed)]


def _refuse_circles(sources: Mapping[str, str], names: list[str]) -> None:
    """Modules in a circle see each other before they are whole; functions cannot."""
    done: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise Unpackable(f"imports in a circle: {' → '.join([*above, name])}")
        if name in done or name not in sources:
            return
        for each in (*IMPORT.finditer(sources[name]), *EXPORT_FROM.finditer(sources[name])):
            walk(resolved(name, each["path"]), (*above, name))
        done.add(name)

    for name in names:
        walk(name, ())


def _relative(name: str, entry: str) -> str:
    """The path by which the module at `entry` imports `name`."""
    path = posixpath.relpath(name, posixpath.dirname(entry) or ".")
    return path if path.startswith(".") else f"./{path}"


def _text(text: str) -> str:
    return f"'{text}'"
