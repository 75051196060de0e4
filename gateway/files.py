"""The files of a folder, as they are and gzipped, kept in memory and told apart by ETag.

There is no build step, so a file may change under us: it is looked at each time
and read again when its time or size is another. Each encoding has an ETag of its
own (RFC 9110 section 8.8.3.3).
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

# Larger ones are no part of a page that should be small.
FILE_MAX = 4 * 1024 * 1024
COMPRESSIBLE = re.compile(r"text/.*|application/(javascript|json|manifest\+json|xml)|image/svg\+xml")
REFUSED_GZIP = re.compile(r"q=0(\.0*)?")


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was at `seen` (time and size); `packed` is None where gzip does not make it smaller."""

    seen: tuple[int, int]
    content_type: str
    etag: str
    plain: bytes
    packed: bytes | None


class Folder:
    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._files: dict[Path, File] = {}

    async def answer(self, request: web.Request, name: str) -> web.Response:
        """The file that `name` names, or 304 for who has it. Raises HTTPNotFound."""
        file = await asyncio.to_thread(self._file, name)
        if file is None:
            raise web.HTTPNotFound
        packed = file.packed if _takes_gzip(request.headers.get("Accept-Encoding", "")) else None
        etag = f"{file.etag}-gz" if packed is not None else file.etag
        headers = {"ETag": f'"{etag}"', "Vary": "Accept-Encoding"}
        known = request.if_none_match or ()
        if any(tag.value in (etag, "*") for tag in known):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = file.content_type
        if packed is not None:
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=file.plain if packed is None else packed, headers=headers)

    def _file(self, name: str) -> File | None:
        """The file inside the folder: no way out of it, by dots, slashes or links."""
        try:
            path = (self._path / name).resolve()
            if not path.is_relative_to(self._path) or not path.is_file():
                return None
            stat = path.stat()
            seen = (stat.st_mtime_ns, stat.st_size)
            file = self._files.get(path)
            if file is None or file.seen != seen:
                if stat.st_size > FILE_MAX:
                    return None
                file = self._files[path] = _read(path, seen)
        except (OSError, ValueError):  # gone meanwhile; a name too long, or with a zero byte
            return None
        return file


def _read(path: Path, seen: tuple[int, int]) -> File:
    plain = path.read_bytes()
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = gzip.compress(plain, 9, mtime=0) if COMPRESSIBLE.fullmatch(content_type) else plain
    etag = hashlib.sha256(plain).hexdigest()[:20]
    return File(seen, content_type, etag, plain, packed if len(packed) < len(plain) else None)


def _takes_gzip(accepted: str) -> bool:
    """Whether gzip is named, and not with q=0. `*` alone is nobody's browser."""
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in ("gzip", "x-gzip"):
            return not REFUSED_GZIP.fullmatch(weight.strip())
    return False
