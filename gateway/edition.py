"""The page as it is at one time, under a version that changes with any of its files.

`index.html` names files below `/static/v-{version}/`, and modules name each other by relative paths: so their
addresses change when they do, and what has such an address is kept for good.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from common import log
from gateway.files import FILE_MAX, File, etag_of
from gateway.modules import modules_of
from gateway.packs import Unpackable, packs

STATIC = "/static/"
INDEX = "index.html"
# What the page begins with, and what is asked for besides where one comes to the rooms or to a room at once.
ENTRY, ROOMS, ROOM = "app.js", "pages/rooms.js", "pages/room.js"
SHEETS_OF_ROOM = ("room.css", "chat.css", "study.css")

logger = log.get("gateway.page")

#: Names with times (ns) and sizes.
Seen = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Edition:
    """`seen` are the files as they were, `etags` those of all files. `packs` are sent instead of some
    modules, with all that these import. `hints` are Link headers.
    """

    version: str
    seen: Seen
    index: File | None
    packs: dict[str, File]
    etags: dict[str, str]
    hints: str
    hints_of_rooms: str
    hints_of_room: str


def seen_in(folder: Path) -> Seen:
    """What changes when a file does."""
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in _files(folder, "")))


def read(folder: Path, *, packed: bool) -> Edition:
    """The page in `folder`, its modules `packed` or each by itself."""
    seen = seen_in(folder)
    files = {name: (folder / name).read_bytes() for name, _, size in seen if size <= FILE_MAX}
    etags = {name: etag_of(plain) for name, plain in files.items()}
    sources = {name: plain.decode() for name, plain in files.items() if name.endswith(".js")}
    made = _packs(sources) if packed and ENTRY in sources else {}
    version = hashlib.sha256(repr((etags, made)).encode()).hexdigest()[:12]
    base = f"{STATIC}v-{version}/"

    def hints(entries: tuple[str, ...], sheets: tuple[str, ...] = ()) -> str:
        one_by_one = (name for entry in entries for name in modules_of(sources, entry))
        modules = [name for name in entries if name in made] if made else list(dict.fromkeys(one_by_one))
        return _link(base, modules, [name for name in sheets if name in files])

    return Edition(
        version=version,
        seen=seen,
        index=_index(files[INDEX], base) if INDEX in files else None,
        packs={name: File.of(name, text.encode()) for name, text in made.items()},
        etags=etags,
        hints=hints((ENTRY,)),
        hints_of_rooms=hints((ENTRY, ROOMS)),
        hints_of_room=hints((ENTRY, ROOM), SHEETS_OF_ROOM),
    )


def _files(folder: Path, below: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder / below) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(folder, f"{below}{entry.name}/")
            elif entry.is_file() and (not entry.is_symlink() or _is_inside(entry.path, folder)):
                yield f"{below}{entry.name}", entry.stat()


def _is_inside(path: str, folder: Path) -> bool:
    return Path(path).resolve().is_relative_to(folder.resolve())


def _index(plain: bytes, base: str) -> File:
    """All but the manifest, by whose address an installed app is known."""
    return File.of(INDEX, re.sub(rb"/static/(?!manifest\.)", base.encode(), plain))


def _packs(sources: dict[str, str]) -> dict[str, str]:
    try:
        return packs(sources, ENTRY)
    except Unpackable as why:
        logger.warning("the page's modules are sent one by one", why=str(why))
        return {}


def _link(base: str, modules: Iterable[str], sheets: Iterable[str]) -> str:
    """A Link header (RFC 8288) by which modules and style sheets come side by side."""
    styles = [f"<{base}{name}>; rel=preload; as=style" for name in sheets]
    return ", ".join([*styles, *(f"<{base}{name}>; rel=modulepreload" for name in modules)])
